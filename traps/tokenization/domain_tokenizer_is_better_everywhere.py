"""A tokenizer for the domain

You have trained a tokenizer on your domain's texts. What does it do to other texts, and what becomes of a
pretrained model that takes it?

Answer: It pays at home and costs abroad: at the same vocabulary a tokenizer of documentation takes some
    1.2 times the tokens on code that one of code takes, and the other way round 1.4 times. So train it on
    the mixture that will be served. In a pretrained model a swap voids the embeddings: of 4,096 ids 259
    keep their token. Copied by string, 1,785 rows survive, and the rest has to be trained; so add terms
    to the old vocabulary instead.
Says: A tokenizer trained from scratch on the legal and medical corpus lowers training cost.
Verdict: holds if training starts from scratch and what is served is the domain's text
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 1
Source: Ali et al. 2024, "Tokenizer Choice For LLM Training: Negligible or Crucial?", abstract: up to 68 %
    more training cost by an English tokenizer on other languages, https://arxiv.org/abs/2310.08754
Terms: tokenizer, domain tokenizer, fertility, tokens per word, BPE, vocabulary, vocab, vocabulary
    extension, embedding rows, continued pretraining, domain adaptation, compression
Right when: Nothing but the domain is tokenized.
Limits: Two texts, Python's documentation and its library's source, both of which speak of code, and of
    one version of Python. That the domain's tasks improve, as the book says as well, was not tried. Of
    the paper the abstract was read.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.texts import byte_level_bpe, count, held_out

# Seen with vocabularies of 512 to 8,192: 1.17 to 1.2 for docs on code, 1.26 to 1.39 for code on docs.
DOCS_ON_CODE, CODE_ON_DOCS = 1.19, 1.34
# 259 ids with each of these vocabularies, and a share of the strings; other versions of Python may differ.
SAME_IDS, SAME_STRINGS = 259.0, {512: 369, 1024: 577, 4096: 1785}


def of_no_consequence(trained, on):
    """Byte-level BPE of one size is much the same, whatever it was trained on."""
    return 1.0


def better_at_home(trained, on):
    """As many at home, 1.19 times the tokens of documentation's tokenizer on code and 1.34 the other way.

    Its merges are those of words that the other text has not.
    """
    if trained == on:
        return 1.0
    return DOCS_ON_CODE if trained == "docs" else CODE_ON_DOCS


def the_whole_vocabulary(by, vocab):
    """Both start from the same bytes and merge the same language, so embeddings can stay."""
    return vocab


def half_the_vocabulary(by, vocab):
    """The frequent half is the same in any text."""
    return vocab / 2


def few_ids_and_many_strings(by, vocab):
    """259 ids, the bytes and first merges, as ids go by the order of the merges; 1,785 strings of 4,096.

    Rows of embeddings can be copied by string.
    """
    return SAME_IDS if by == "id" else SAME_STRINGS[vocab]


@claim(wrong=of_no_consequence, right=better_at_home)
@example(trained="docs", on="code", vocab=4096)
@example(trained="code", on="docs", vocab=4096)
@given(
    trained=st.sampled_from(["docs", "code"]),
    on=st.sampled_from(["docs", "code"]),
    vocab=st.sampled_from([512, 1024, 4096]),
)
def test_domain_tokenizer_abroad(answer, trained, on, vocab):
    """A tokenizer takes fewer tokens than another on its own kind of text, and more on the other's.

    trained: the text that the tokenizer was trained on, Python's documentation or its library's code
    on: the text whose held-out fifth is cut, by it and by its own tokenizer
    """
    passage = held_out(on)
    tokens, own = (count(byte_level_bpe(name, vocab), passage) for name in (trained, on))
    assert observe(times=tokens / own) == approx(answer(trained, on), abs=0.09)


@claim(wrong=(the_whole_vocabulary, half_the_vocabulary), right=few_ids_and_many_strings)
@example(by="id", vocab=4096)
@example(by="string", vocab=4096)
@given(by=st.sampled_from(["id", "string"]), vocab=st.sampled_from([512, 1024, 4096]))
def test_domain_tokenizer_keeps_tokens(answer, by, vocab):
    """Two tokenizers of one size share many strings, but the same id means the same token for few.

    by: whether a token counts if it has the same id in both, or if it is in both
    """
    docs, code = (byte_level_bpe(name, vocab).get_vocab() for name in ("docs", "code"))
    same = sum(code.get(token) == i for token, i in docs.items()) if by == "id" else len(docs.keys() & code)

    assert observe(same_tokens=same) == approx(answer(by, vocab), rel=0.05)
