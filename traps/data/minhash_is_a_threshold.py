"""MinHash and near-duplicates

A corpus is deduplicated by MinHash with 14 bands of 8 rows, whose threshold is given as 0.75. Are pairs
above it found, and those below it left alone?

Answer: The band scheme is a slope and no step: a pair of Jaccard similarity s is found with 1 - (1 -
    s^r)^b. Of pairs at 0.75 some 77 % are found, at 0.7 56 %, at 0.9 all. (1/b)^(1/r), 0.72 here, is
    where about two in three are, and half of them at 0.685. And similarity is of shingles: one word
    changed in a text of 27 leaves 0.64 of its 5-grams alike, which is found one time in three.
Says: Fuzzy deduplication by MinHash LSH detects and removes near-identical sequences across the corpus.
Verdict: holds if near-identical means a Jaccard similarity of 0.9 or more; below, pairs are found by
    chance
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 19
Source: Penedo et al. 2024, "The FineWeb Datasets", section 3.4: 5-grams, 14 buckets of 8 hashes, 75 %,
    https://arxiv.org/abs/2406.17557
Source: datasketch documentation, "MinHash LSH", https://ekzhu.com/datasketch/lsh.html
Terms: MinHash, LSH, near-duplicate, fuzzy deduplication, dedup, deduplication, Jaccard similarity,
    shingles, n-grams, bands, S-curve, threshold, FineWeb, datasketch
Right when: Pairs are far from the threshold on either side.
Limits: Pairs of sets of which the similarity is known, 400 of them per example, by the hashes of
    datasketch. How duplicates spread over the web is not shown. The paper was read in reproductions.
"""

from functools import cache

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def step_at_the_threshold(similarity, bands, rows):
    """Pairs above (1/b)^(1/r) are found, those below are not."""
    return float(similarity >= (1 / bands) ** (1 / rows))


def as_often_as_similar(similarity, bands, rows):
    """A MinHash agrees with the chance s, so a pair is found as often."""
    return similarity


def any_band_agrees(similarity, bands, rows):
    """A pair is found if any of its bands agrees: 1 - (1 - s^r)^b.

    For 14 bands of 8 rows that is 0.77 at 0.75, 0.56 at 0.7, 0.5 at 0.685 and 0.65 at 0.72. A band agrees
    if all of its rows do, each with the chance s; one band is enough.
    """
    return 1 - (1 - similarity**rows) ** bands


def share_of_the_words(words, edited, n):
    """What was not edited is alike: the share of the words."""
    return 1 - edited / words


def share_of_the_shingles(words, edited, n):
    """Each edit takes n shingles, so what is left over all of them."""
    shingles = words - n + 1
    return max(0.0, 1 - n * edited / shingles)


def left_over_the_union(words, edited, n):
    """The shingles that are left, over the union of old and new ones.

    For m touched of S shingles that is (S - m) / (S + m): 0.643 for one word in 27, 0.90 for one in 100.
    An edit far from the ends touches n shingles, and puts as many new ones into the union.
    """
    shingles, touched = words - n + 1, n * edited
    return (shingles - touched) / (shingles + touched)


PAIRS = 400


@cache
def found(similarity, bands, rows, seed):
    """Share of the pairs that are found."""
    from datasketch import MinHash, MinHashLSH

    size = 200
    common = round(size * similarity)
    index = MinHashLSH(params=(bands, rows), num_perm=bands * rows)
    empty, hits = MinHash(bands * rows, seed), 0
    for pair in range(PAIRS):
        both = [b"%d" % (size * pair + i) for i in range(size)]
        # Of the union some are common, and the others are dealt out.
        first = empty.copy()
        first.update_batch(both[:common])
        second = first.copy()
        first.update_batch(both[common::2])
        second.update_batch(both[common + 1 :: 2])
        index.insert(pair, first)
        hits += pair in index.query(second)
    return hits / PAIRS


@claim(
    wrong=(step_at_the_threshold, as_often_as_similar),
    right=any_band_agrees,
    evidence="simulated",
    examples=10,
)
@example(similarity=0.75, bands=14, rows=8, seed=1)
@example(similarity=0.7, bands=14, rows=8, seed=1)
@example(similarity=0.685, bands=14, rows=8, seed=1)
@example(similarity=0.72, bands=14, rows=8, seed=1)
@example(similarity=0.9, bands=14, rows=8, seed=1)
@example(similarity=0.75, bands=2, rows=1, seed=1)
@given(
    similarity=st.sampled_from([0.5, 0.6, 0.75, 0.9, 1.0]),
    bands=st.sampled_from([14, 2, 5]),
    rows=st.sampled_from([8, 4, 1]),
    seed=st.integers(1, 9999),
)
def test_minhash_finds_a_pair(answer, similarity, bands, rows, seed):
    """A pair is found as often as any of its bands agrees in all rows.

    similarity: Jaccard similarity of the pair
    bands: of the MinHash
    rows: hashes of a band
    """
    # Five standard errors, and what may not have come up once: a chance of 12 / n is missed with e^-12.
    share = found(similarity, bands, rows, seed)
    error = 5 * (share * (1 - share) / PAIRS) ** 0.5 + 12 / PAIRS
    assert observe(found=share) == approx(answer(similarity, bands, rows), abs=error)


@claim(wrong=(share_of_the_words, share_of_the_shingles), right=left_over_the_union, evidence="derived")
@example(words=27, edited=1, n=5)
@example(words=100, edited=1, n=5)
@given(words=st.integers(60, 200), edited=st.integers(0, 3), n=st.integers(2, 8))
def test_minhash_similarity_of_an_edited_text(answer, words, edited, n):
    """The Jaccard similarity of an edited text counts shingles, of which one word touches several.

    words: of the text, all different
    edited: words that were changed, far from each other and from the ends
    n: words of a shingle
    """
    text = list(range(words))
    changed = list(text)
    for i in range(edited):
        changed[(i + 1) * words // (edited + 1)] = -i - 1
    one, two = ({tuple(t[i : i + n]) for i in range(words - n + 1)} for t in (text, changed))

    assert observe(similarity=len(one & two) / len(one | two)) == approx(answer(words, edited, n))
