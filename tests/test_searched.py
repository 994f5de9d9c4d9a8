"""People find a page by the words that they search for."""

import pytest

from fixtures.trial.expression import Word, listed, spellings, spelt
from fixtures.trial.page import page_paths
from fixtures.trial.skim import Skim
from tests.corpus import ROOT

WORDS = [
    *("chunked", "ttft", "tpot", "paged", "prefix", "continuous", "intensity", "roofline", "hbm"),
    *("synchronize", "masking", "layernorm", "deepnorm", "warmup", "state_dict", "equivariance"),
    *("argmax", "mixed_precision", "master_weights", "beta2", "learning_rate", "clipping"),
    *("width", "p99", "n+1", "amdahl", "rejection", "acceptance", "residual", "online_softmax"),
    *("mfu", "checkpointing", "quantization", "distillation", "ridge", "xor"),
]

PAGES = [Skim.of(path) for path in page_paths(ROOT)]
TERMS = {spelt(term) for page in PAGES for term in page.terms}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_people_search_for_finds_a_page(word):
    """`pytest -k` finds at least one page by each of these words."""
    sought = Word.of(word, TERMS)
    names = [listed([*page.place, *page.names, *spellings(page.terms)]) for page in PAGES]
    assert any(map(sought.is_in, names))
