"""Unknown tokens under BPE

A byte tokenizer never meets an unknown token. Does BPE? What happens to a rare word, to Japanese, to an
emoji?

Answer: Byte-level BPE, as in GPT-2 and Llama 3, never does: its alphabet is the bytes themselves, so
    every string comes back as it was, at worst with a token per byte, 9 for three Japanese characters if
    no Japanese was in its training text. BPE over characters loses each character that its training text
    did not hold, unless it falls back on bytes. So the absence of unknown tokens is a merit of bytes, and
    byte-level BPE has it too.
Says: BPE starts from individual bytes and merges them; its open vocabulary knows no unknown words.
Verdict: imprecise: byte-level BPE starts from bytes and loses nothing; the BPE of the paper that it cites
    starts from characters
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 5
Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units",
    section 3.2, https://aclanthology.org/P16-1162
Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2: BPE on
    bytes,
    https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf
Terms: tokenizer, BPE, byte-level BPE, byte_level, byte fallback, OOV, out-of-vocabulary, unknown token,
    unk, subword, Unicode, emoji, SentencePiece, open vocabulary
Right when: All characters of the text were in the training text.
Limits: No normalizer and no prefix space: either may change a string. Tokenizers of Hugging Face's
    library, trained on Python's documentation. That Sennrich et al. start from characters was read in
    summaries.
"""

from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.texts import byte_level_bpe, count

KNOWN = "abcdefghijklmnopqrstuvwxyz"


def never_lost(kind, string, unknown):
    """Subwords compose any word, so BPE knows no unknown token."""
    return 0


def all_but_ascii(kind, string, unknown):
    """What is not ASCII is unknown to it, as are all 3 characters of 日本語."""
    return sum(not character.isascii() for character in string)


def unseen_characters(kind, string, unknown):
    """Those characters that the training text did not hold, whichever way the BPE was built."""
    return unknown


def unseen_without_bytes(kind, string, unknown):
    """None of byte-level BPE or with byte fallback; over characters each that is new to it: 3 of 日本語.

    Bytes spell any character of UTF-8.
    """
    return unknown if kind == "characters" else 0


def one_per_character(string):
    """A character that it does not know is one token: 3 for 日本語 and 1 for an emoji."""
    return len(string)


def one_per_byte(string):
    """A token per byte, 9 for 日本語 and 4 for an emoji, as nothing of them was merged."""
    return len(string.encode())


def tokenizer(kind):
    """BPE that was trained on the lower case letters and the blank: over bytes, or over characters."""
    from tokenizers import Tokenizer, decoders, models, trainers

    if kind == "byte-level":
        return byte_level_bpe("docs", 512)
    letters = [*KNOWN, " ", "the", "token"]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    spelled = [f"<0x{byte:02X}>" for byte in range(256)] if kind == "byte fallback" else []
    trained.train_from_iterator(
        letters, trainers.BpeTrainer(special_tokens=["<unk>", *spelled], show_progress=False)
    )
    if kind == "byte fallback":
        trained.model.byte_fallback = True
        trained.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    else:
        trained.decoder = decoders.Fuse()
    return trained


characters = st.sampled_from([*"abcxyz ", "é", "日", "本", "語", "😀", "\n", "Z", "7", "\0"])


@claim(wrong=(never_lost, all_but_ascii, unseen_characters), right=unseen_without_bytes)
@example(kind="characters", string="日本語")
@example(kind="byte-level", string="日本語")
@example(kind="byte fallback", string="日本語")
@given(
    kind=st.sampled_from(["byte-level", "characters", "byte fallback"]),
    string=st.text(characters, min_size=1, max_size=8),
)
def test_bpe_lost_characters(answer, kind, string):
    """BPE over characters loses what it has never seen, and BPE over bytes loses nothing.

    kind: BPE over bytes, over characters, or over characters with a fall-back on bytes
    string: what is encoded and decoded again
    unknown: characters of it that are neither lower case letters nor blanks
    """
    trained = tokenizer(kind)
    encoded = trained.encode(string)
    lost = encoded.tokens.count("<unk>")
    spelled = trained.decode(encoded.ids, skip_special_tokens=False)
    kept = [character for character in string if kind != "characters" or character in KNOWN + " "]
    assert spelled.replace("<unk>", "") == "".join(kept)

    unknown = sum(character not in KNOWN + " " for character in string)
    assert observe(lost_characters=lost) == answer(kind, string, unknown)


@claim(wrong=one_per_character, right=one_per_byte)
@example(string="日本語")
@example(string="😀")
@given(string=st.text(st.characters(min_codepoint=0x3040, max_codepoint=0x9FFF), min_size=1, max_size=8))
def test_bpe_tokens_of_an_unseen_script(answer, string):
    """A script that no merge was learned from takes a token per byte.

    string: Japanese and Chinese characters
    """
    assert observe(tokens=count(byte_level_bpe("docs", 512), string)) == answer(string)
