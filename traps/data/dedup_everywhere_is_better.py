"""Deduplication across crawls

A plan gives one day for data: download Common Crawl. Filters come next, and deduplication over all crawls
at once, as every copy that is left is one too many. Is that so?

Answer: Not necessarily. The download is the least of it, and deduplication is a filter of its own: over
    all crawls each page is left once, so what recurs in many crawls loses weight. If good pages recur
    oftener than junk, in 5 crawls against 2, half good and half junk, keeping one per crawl leaves 0.71
    good and one of all 0.5. FineWeb tried both and deduplicates each crawl by itself.
Says: Three phases make the corpus, according to the FineWeb paper: parsing, classifiers for quality and
    toxicity, and MinHash deduplication across the corpus.
Verdict: imprecise: the outline is FineWeb's, but it deduplicates each crawl by itself, as across all of
    them was no better
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 19
Source: Penedo et al. 2024, "The FineWeb Datasets", section 3.4: per snapshot and across,
    https://arxiv.org/abs/2406.17557
Terms: Common Crawl, FineWeb, deduplication, dedup, near-duplicate, MinHash, snapshot, curation, data
    curation, WARC, quality filter, trafilatura, web crawl, corpus
Right when: Junk recurs in more crawls than good pages do.
Limits: A law of counts with exact copies: which pages recur on the web, and what a model learns of either
    mix, is not shown. MinHash itself is the page minhash_is_a_threshold. The paper was read in
    reproductions.
"""

import hashlib

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def more_copies_are_worse(scope, good, junk, good_crawls, junk_crawls):
    """What recurs most is junk, so taking copies out can only raise the share of good pages."""
    before = good * good_crawls / (good * good_crawls + junk * junk_crawls)
    return max(before, good / (good + junk)) if scope == "all crawls" else before


def scope_does_not_matter(scope, good, junk, good_crawls, junk_crawls):
    """Deduplication takes copies away and leaves the mix as it was."""
    return good / (good + junk)


def by_how_often_each_recurs(scope, good, junk, good_crawls, junk_crawls):
    """Within each crawl pages count by the crawls they are in, over all crawls once each.

    Half good and half junk, in 5 crawls against 2, that leaves 0.71 good, and 0.5 over all crawls.
    """
    if scope == "all crawls":
        return good / (good + junk)
    return good * good_crawls / (good * good_crawls + junk * junk_crawls)


@claim(
    wrong=(more_copies_are_worse, scope_does_not_matter), right=by_how_often_each_recurs, evidence="derived"
)
@example(scope="each crawl", good=10, junk=10, good_crawls=5, junk_crawls=2)
@example(scope="all crawls", good=10, junk=10, good_crawls=5, junk_crawls=2)
@example(scope="each crawl", good=10, junk=10, good_crawls=2, junk_crawls=5)
@given(
    scope=st.sampled_from(["each crawl", "all crawls"]),
    good=st.integers(1, 20),
    junk=st.integers(1, 20),
    good_crawls=st.integers(1, 6),
    junk_crawls=st.integers(1, 6),
)
def test_dedup_and_the_good_share(answer, scope, good, junk, good_crawls, junk_crawls):
    """Deduplication within each crawl leaves pages by how many crawls they are in, over all crawls once each.

    scope: whether copies are sought within a crawl or in all of them
    good: different good pages
    junk: different pages of junk
    good_crawls: crawls in which each good page is, twice in each
    junk_crawls: the same of junk
    """
    pages = [(f"good {i}", good_crawls) for i in range(good)] + [
        (f"junk {i}", junk_crawls) for i in range(junk)
    ]
    kept, seen = [], set()
    for crawl in range(6):
        if scope == "each crawl":
            seen = set()
        for text, crawls in pages * 2:
            digest = hashlib.sha256(text.encode()).digest()
            if crawl < crawls and digest not in seen:
                seen.add(digest)
                kept.append(text)

    assert observe(good_share=sum(text.startswith("good") for text in kept) / len(kept)) == approx(
        answer(scope, good, junk, good_crawls, junk_crawls)
    )
