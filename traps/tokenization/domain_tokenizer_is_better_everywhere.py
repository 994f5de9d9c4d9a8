"""A tokenizer for the domain

You have trained a tokenizer on your domain's texts. What does it do to other texts, and what becomes of a
pretrained model that takes it?

Answer: It pays at home and costs abroad: with 4,096 tokens one of documentation takes 1.2 times what code's
    own takes on code, and 2.4 times on a text that shares no word with it. So train it on the mixture that
    will be served. In a pretrained model a swap voids the embeddings: of 4,096 ids 257 keep their token.
    Copied by string, 1,807 rows survive, and the rest has to be trained; so add terms to the old vocabulary
    instead.
Says: A tokenizer trained from scratch on the legal and medical corpus lowers training cost.
Verdict: holds if training starts from scratch and what is served is the domain's text
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 1
Source: Ali et al. 2024, "Tokenizer Choice For LLM Training: Negligible or Crucial?", abstract: up to 68 %
    more training cost by an English tokenizer on other languages, https://arxiv.org/abs/2310.08754
Terms: tokenizer, domain tokenizer, fertility, tokens per word, BPE, vocabulary, vocab, vocabulary
    extension, embedding rows, continued pretraining, domain adaptation, compression
Right when: Nothing but the domain is tokenized.
Limits: Three texts, Python's documentation and its library's source, and the first in ROT13, which shares
    no word with it and stands for another language. Lines drawn under headings are taken out: with them
    code's tokenizer takes a third more on documentation, and with Python 3.13 two thirds, for dashes
    alone. That the domain's tasks improve, as the book says as well, was not tried. Of the paper the
    abstract was read.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.texts import byte_level_bpe, count_held_out

# Seen with Python 3.11 to 3.13: 1.15 to 1.25 times between docs and code with any of these vocabularies;
# to and from rot13 1.54 to 1.65 with 512 tokens, 2.29 to 2.48 with 4,096.
ABROAD, OTHER_WORDS = 1.2, {512: 1.6, 4096: 2.4}
# 257 to 259 ids with each of these vocabularies and versions, and a share of the strings.
SAME_IDS, SAME_STRINGS = 257.0, {512: 370, 4096: 1807}


def of_no_consequence(trained, on, vocab):
    """Byte-level BPE of one size is much the same, whatever it was trained on."""
    return 1.0


def better_at_home(trained, on, vocab):
    """It takes as many tokens at home and more abroad, most where no word is shared.

    Abroad it is 1.2 times as many where words are shared, 2.4 times where none is. Its merges are those
    of words that the other text has not, and the more merges there are, the more it misses.
    """
    if trained != on and "rot13" in (trained, on):
        return OTHER_WORDS[vocab]
    return 1.0 if trained == on else ABROAD


def the_whole_vocabulary(by, vocab):
    """Both start from the same bytes and merge the same language, so embeddings can stay."""
    return vocab


def half_the_vocabulary(by, vocab):
    """The frequent half is the same in any text: 2,048 tokens of 4,096."""
    return vocab / 2


def few_ids_and_many_strings(by, vocab):
    """257 ids, the bytes and a merge, as ids go by the merges' order; 1,807 strings of 4,096.

    Rows of embeddings can be copied by string.
    """
    return SAME_IDS if by == "id" else SAME_STRINGS[vocab]


@claim(wrong=of_no_consequence, right=better_at_home)
@example(trained="docs", on="code", vocab=4096)
@example(trained="docs", on="rot13", vocab=4096)
@given(
    trained=st.sampled_from(["docs", "code", "rot13"]),
    on=st.sampled_from(["docs", "code", "rot13"]),
    vocab=st.sampled_from([512, 4096]),
)
def test_domain_tokenizer_abroad(answer, trained, on, vocab):
    """A tokenizer takes fewer tokens than another on its own kind of text, and more on the other's.

    trained: the text that the tokenizer was trained on: Python's documentation, its library's code, or
        the documentation in ROT13, which shares no word with it
    on: the text whose held-out fifth is cut, by it and by its own tokenizer
    """
    tokens, own = (count_held_out(name, vocab, on) for name in (trained, on))
    off = 0.12 if trained != on else 0.0
    assert observe(times=tokens / own) == approx(answer(trained, on, vocab), abs=off)


@claim(wrong=(the_whole_vocabulary, half_the_vocabulary), right=few_ids_and_many_strings)
@example(by="id", vocab=4096)
@example(by="string", vocab=4096)
@given(by=st.sampled_from(["id", "string"]), vocab=st.sampled_from([512, 4096]))
def test_domain_tokenizer_keeps_tokens(answer, by, vocab):
    """Two tokenizers of one size share many strings, but the same id means the same token for few.

    by: whether a token counts if it has the same id in both, or if it is in both
    """
    docs, code = (byte_level_bpe(name, vocab).get_vocab() for name in ("docs", "code"))
    same = sum(code.get(token) == i for token, i in docs.items()) if by == "id" else len(docs.keys() & code)

    assert observe(same_tokens=same) == approx(answer(by, vocab), rel=0.05)
