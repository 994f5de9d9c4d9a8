"""Texts and the tokenizers that are trained on them."""

import codecs

import pytest

from fixtures.texts import byte_level_bpe, count, count_held_out, held_out, text


@pytest.mark.parametrize("name", ["docs", "code", "rot13"])
def test_a_text_is_long_enough_to_train_on(name):
    """There are some hundred thousand characters, and a fifth of them is held out."""
    assert len(text(name)) > 300_000
    assert text(name).endswith(held_out(name))
    assert len(held_out(name)) == pytest.approx(len(text(name)) / 5, abs=1)


@pytest.mark.parametrize("name", ["docs", "code"])
def test_no_line_is_drawn(name):
    """What is under a heading is one character; a comment's three dots stay."""
    assert "----" not in text(name)
    assert "..." in text(name)


def test_rot13_is_the_docs_in_other_words():
    """As long, and read back by the same step; no English word is left."""
    assert codecs.decode(text("rot13"), "rot13") == text("docs")
    assert " the " not in text("rot13")


def test_a_vocabulary_of_bytes_takes_a_token_per_byte():
    """With 256 tokens nothing is merged, whatever the script."""
    assert count(byte_level_bpe("docs", 256), "naïve 日本") == len("naïve 日本".encode())


def test_merges_shorten_a_text_and_lose_nothing():
    """More tokens in the vocabulary take fewer for the text, and decode to it."""
    small, large = (byte_level_bpe("docs", vocab) for vocab in (256, 512))
    assert large.get_vocab_size() == 512
    assert count(large, held_out("docs")) < count(small, held_out("docs"))
    assert large.decode(large.encode(" two  blanks\n").ids) == " two  blanks\n"


def test_tokens_of_the_held_out_fifth_are_counted():
    """With 256 tokens one per byte, of the whole fifth or of its beginning."""
    assert count_held_out("docs", 256, "code") == len(held_out("code").encode())
    assert count_held_out("docs", 256, "code", 100) == len(held_out("code")[:100].encode())
