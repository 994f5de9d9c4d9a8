"""Feeding a corpus that is larger than memory

A tokenized corpus of 2.8 TB is to feed a PyTorch DataLoader without exhausting the CPU's memory. Does a
memory map load the file, and what does a cast of it do?

Answer: Tokenize once into flat binary files, map them with np.memmap and read random windows. What is
    touched becomes page cache, which the kernel takes back; private memory stays at a batch: 64 windows
    of a 256 MiB file took nothing to speak of, reading the file 256 MiB, and casting the map of a 64 MiB
    file to int64 256. Cast the window, and look at RssAnon: the RSS that top shows grows by the pages
    touched. Tokens fit uint16 up to a vocabulary of 65,536; cast by astype, one of 65,537 turns its last
    id into 0 without an error.
Says: Most propose custom Python generators, which add overhead of the interpreter's lock.
Verdict: not judged: the stored text stops before its own answer
Asked: AI Interview Prep newsletter, LLM System Design #33
Source: NumPy documentation 2025, "numpy.memmap",
    https://numpy.org/doc/stable/reference/generated/numpy.memmap.html
Source: Linux man-pages 2024, "proc_pid_status(5)": RssAnon and RssFile,
    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
Terms: mmap, np.memmap, page cache, RSS, RssAnon, streaming, streaming dataset, IterableDataset, uint16
    tokens, dataloader, Megatron, CPU RAM, OOM
Right when: The map is copied as a whole, by np.array or copy().
Limits: Linux, and private memory alone: page cache counts towards a container's limit until the kernel
    takes it back. The windows are read once. NumPy 2 raises where it is given Python integers that are
    too large.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import private_mib

WINDOW = 1025


def all_of_the_file(way, mib, windows):
    """A map is the file in memory: it grows by the file, however it is read."""
    return mib


def what_was_read(way, mib, windows):
    """The windows that were read, in any way: what has not been touched takes no memory."""
    return windows * WINDOW * 2 / 2**20


def copies_alone(way, mib, windows):
    """Nothing for windows of a map; the file if it is read or copied, and four times it if cast.

    A map's pages are cache. An int64 is four times a uint16, so 64 MiB become 256. A window that is cast
    is a copy of a window.
    """
    return {"read": mib, "copy the map": mib, "cast the map": 4 * mib}.get(way, 0.0)


def any_id(vocab):
    """Two bytes are enough for tokens."""
    return vocab - 1


def zero_is_no_value(vocab):
    """Two bytes hold 65,535 values, as zero is none, so the id 65,535 becomes 0."""
    return vocab - 1 if vocab <= 65535 else (vocab - 1) % 65535


def remainder_of_two_bytes(vocab):
    """Two bytes hold 65,536 values, and a larger id is kept as its remainder.

    A cast drops the upper bytes without an error: ids are kept up to a vocabulary of 65,536, and the last
    one of 65,537 becomes 0.
    """
    return (vocab - 1) % 65536


@claim(wrong=(all_of_the_file, what_was_read), right=copies_alone, evidence="measured")
@example(way="windows of the map", mib=256, windows=64)
@example(way="read", mib=256, windows=64)
@example(way="copy the map", mib=64, windows=64)
@example(way="cast the map", mib=64, windows=64)
@given(
    way=st.sampled_from(["windows of the map", "read", "copy the map", "cast the map"]),
    mib=st.sampled_from([32, 64]),
    windows=st.sampled_from([0, 64]),
)
def test_memmap_private_memory(answer, way, mib, windows):
    """A map takes no private memory; reading, copying or casting the whole of it does.

    way: how tokens are had, by windows of a map that are cast, by reading the file, by a copy of the map,
        by casting the map
    mib: size of the file of 2-byte tokens, in MiB
    windows: that are read at random places
    """
    random = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tokens.bin"
        np.zeros(mib * 2**19, dtype=np.uint16).tofile(file)
        before = private_mib()
        tokens = np.fromfile(file, np.uint16) if way == "read" else np.memmap(file, np.uint16, "r")
        if way in ("cast the map", "copy the map"):
            tokens = tokens.astype(np.int64 if way == "cast the map" else np.uint16)
        for start in random.integers(0, len(tokens) - WINDOW, windows):
            tokens[start : start + WINDOW].astype(np.int64)
        grown = private_mib() - before
        del tokens

    # The interpreter takes some pages of 4 KiB by itself.
    assert observe(mib=grown) == approx(answer(way, mib, windows), rel=0.05, abs=0.1)


@claim(wrong=(any_id, zero_is_no_value), right=remainder_of_two_bytes)
@example(vocab=65536)
@example(vocab=65537)
@example(vocab=128256)
@given(vocab=st.sampled_from([257, 50257, 65535, 65536, 65537, 128256]) | st.integers(1, 200_000))
def test_uint16_keeps_token_ids(answer, vocab):
    """Two bytes keep the ids of vocabularies up to 65,536 tokens, and a cast of others wraps in silence."""
    assert observe(last_id=int(np.array([vocab - 1]).astype(np.uint16)[0])) == answer(vocab)
