"""Formulas and figures of public issues and pull requests, judged by the claims that are about them."""

import re

import pytest

from tests.corpus import ROOT


@pytest.fixture
def judged(corpus):
    """Have a claim, on a page by itself, judge a formula or tell its own numbers."""

    def run(claim, *arguments, formula=""):
        (path,) = (p for p in ROOT.glob("traps/*/*.py") if f"\ndef {claim}(" in p.read_text(encoding="utf-8"))
        page = corpus.write(path.read_text(encoding="utf-8"), slug=path.stem, area=path.parent.name)
        (corpus.path / "public.py").write_text(f"{formula}\n", encoding="utf-8")
        return corpus.run(f"{page}::{claim}", "-q", *arguments)

    return run


def observed(result):
    """What a claim that was asked at given inputs observed."""
    return re.search(r"^ +\w+ +(\S+) +observed$", result.stdout.str(), re.MULTILINE)[1].strip("'")


MEGATRON = """
def training_flops(n, table, tokens, layers, d, context):
    vocab = table / d
    return 72 * tokens * layers * d**2 * (1 + context / (6 * d) + vocab / ({0} * layers * d))
"""


@pytest.mark.parametrize(("share", "ret"), [(12, 0), (16, 1)])
def test_flops_of_the_output_head(judged, share, ret):
    """Megatron-LM pull 995: beside the factor 72 the output head counts V/(12Lh), and not V/(16Lh)."""
    formula = MEGATRON.format(share)
    result = judged("test_training_flops", "--answer=public.py:training_flops", formula=formula)

    assert result.ret == ret


def test_flops_of_the_smallest_model(judged):
    """Megatron-LM pull 995: one layer of width 16, one token and 16 words cost 20,160 FLOPs, not 19,776."""
    result = judged("test_training_flops", "--at=d=16, layers=1, context=1, batch=1, vocab=16")

    assert observed(result) == "20,160"
    names = {"n": 12 * 16**2 + 16**2, "table": 16**2, "tokens": 1, "layers": 1, "d": 16, "context": 1}
    told = {}
    exec(MEGATRON.format(16), told)
    assert told["training_flops"](**names) == pytest.approx(19_776)


def test_speed_up_of_a_draft(judged):
    """llama.cpp issue 3649: an acceptance of 0.44, five tokens ahead and a draft of 0.11 make 1.14."""
    result = judged("test_draft_speed", "--at=accepted=0.44, gamma=5, cost=0.11")

    assert float(observed(result)) == pytest.approx(1.14, abs=0.005)


@pytest.mark.parametrize(("eps", "step"), [(1e-8, "inf"), (1e-5, "finite"), (1e-4, "finite")])
def test_first_step_of_adam_in_fp16(judged, eps, step):
    """glide-finetune pull 6: where fp16 rounds eps to 0 the step is inf at 6.1e-5; 1e-5 and 1e-4 cure it."""
    gradient = 2.0**-14
    result = judged(
        "test_fp16_first_step_of_adam", f"--at=gradient={gradient}, b2=0.999, eps={eps}, path=foreach"
    )

    assert (observed(result) in ("inf", "-inf", "nan")) == (step == "inf")
    assert observed(result) != "nan"
