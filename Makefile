# Every target first sets up what it needs, in .venv.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help facts check ask page site test lint

ifeq ($(MAKECMDGOALS)$(strip $(K)),check)
$(error Which claims? Say a word of their names, as in: make check K=kvcache)
endif

ifeq ($(MAKECMDGOALS)$(strip $(K)),ask)
$(error Which claims? Say a word of their names, and your numbers: make ask K=kvcache AT="tokens=8192")
endif

ifeq ($(MAKECMDGOALS)$(strip $(P)),page)
$(error Which page? Name its file, as in: make page P=traps/memory/kvcache_counts_query_heads.py)
endif

# Words that stand side by side are joined by "and"; an expression stays as it is.
SPACE := $(subst ,, )
OPEN := (
EXPRESSION = $(or $(filter and or not,$(K)),$(findstring $(OPEN),$(K)))
WORDS = $(if $(EXPRESSION),$(K),$(subst $(SPACE), and ,$(strip $(K))))

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-18s %s\n", $$1 ($$1 == "check" || $$1 == "ask" ? " K=kvcache" : $$1 == "page" ? " P=FILE" : ""), $$2 }' Makefile

facts: .venv/.installed ## check every claim on every device here, and write the evidence and FACTSHEET.md
	$(BIN)/python -m pytest traps -n auto --evidence=evidence
	$(BIN)/python -m tools.sheet

check: .venv/.installed ## try the claims that have all of these words in their names or terms
	$(BIN)/python -m pytest traps -k "$(WORDS)" -v

ask: .venv/.installed ## ask them at your own numbers: AT="tokens=8192, batch=4", CONFIG=config.json
	$(BIN)/python -m pytest traps -k "$(WORDS)" $(if $(AT),--at="$(AT)") $(if $(CONFIG),--config="$(CONFIG)")

page: .venv/.installed ## prove one page: claims, house rules, teeth, a deep run, its record and entry
	$(BIN)/python -m tools.check $(P)

site: .venv/.installed ## build the site, where one guesses first, in site/
	$(BIN)/python -m tools.site

test: .venv/.installed ## run the corpus, the tests of its machinery and the house rules
	$(BIN)/python -m pytest traps tests -n auto --cov=fixtures --cov=tools --cov-report=term --cov-fail-under=95

lint: .venv/.installed ## check style and types
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev,dask,pandas,anki]"
	touch $@
