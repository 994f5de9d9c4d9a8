"""ELT, ETL and the version of a transform

Petabytes of raw text are loaded into a lakehouse, and transformed when a training reads them. Are the
features reproducible, and would it help to transform before loading?

Answer: What decides is whether each read runs code that may have changed. A transform that runs at each
    read gives other bytes once its library changes: NFKC of U+32FF, the name of an era, is itself by old
    tables and two other characters today. Run from code that is pinned it repeats to the bit;
    materialized once it does so too, and runs 4 times for 4 documents and not 24 for 3 epochs of 2
    consumers. So keep raw data, and cache by the hash of raw and code.
Says: Transforming at read, ELT, creates transformation debt for GenAI pipelines and compromises feature
    reproducibility.
Verdict: holds if the transform is run again at each read, by code that is not pinned
Asked: AI Interview Prep newsletter, ML System Design #30
Source: Unicode Consortium 2025, "Unicode Normalization Forms", Standard Annex 15,
    https://www.unicode.org/reports/tr15/
Source: Python documentation 2025, unicodedata.ucd_3_2_0,
    https://docs.python.org/3/library/unicodedata.html
Terms: ELT, ETL, transformation debt, lakehouse, feature_store, reproducibility, data versioning,
    immutable artifacts, training_serving_skew, training-serving skew, training/serving skew, content
    hash, NFKC, Unicode, materialized
Right when: Each read draws a random augmentation: then other features are wanted, and are no debt.
Limits: Two versions of Unicode's tables stand for two versions of a library. What transforms cost in
    time, and how large their results are, is not shown. The newsletter's stored text stops before its
    solution.
"""

import hashlib
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def load_first_is_free(order, pinned, bump, documents, epochs, consumers):
    """The transform is defined once and the features are what it says, whenever it runs."""
    return [1, documents]


def never_reproducible(order, pinned, bump, documents, epochs, consumers):
    """Whatever runs at read may change; only what was transformed before loading is safe."""
    calls = documents * (1 if order == "ETL" else epochs * consumers)
    return [1 if order == "ETL" else 2, calls]


def if_the_code_is_pinned(order, pinned, bump, documents, epochs, consumers):
    """Two kinds of bytes only if it runs at read, unpinned, and the library changes in between.

    Calls are those of the documents once, 4 for 4, or at each read: 24 for 3 epochs of 2 consumers.
    """
    reads = epochs * consumers
    changes = order == "ELT" and not pinned and 0 < bump < reads
    return [2 if changes and documents else 1, documents * (1 if order == "ETL" else reads)]


OLD, NEW = unicodedata.ucd_3_2_0.normalize, unicodedata.normalize


@claim(
    wrong=(load_first_is_free, never_reproducible),
    right=if_the_code_is_pinned,
    evidence="simulated",
    examples=60,
)
@example(order="ELT", pinned=False, bump=3, documents=4, epochs=3, consumers=2)
@example(order="ELT", pinned=True, bump=3, documents=4, epochs=3, consumers=2)
@example(order="ETL", pinned=False, bump=3, documents=4, epochs=3, consumers=2)
@example(order="ELT", pinned=False, bump=1, documents=0, epochs=2, consumers=1)
@given(
    order=st.sampled_from(["ELT", "ETL"]),
    pinned=st.booleans(),
    bump=st.integers(0, 6),
    documents=st.integers(0, 4),
    epochs=st.integers(1, 3),
    consumers=st.integers(1, 2),
)
def test_elt_features_of_all_reads(answer, order, pinned, bump, documents, epochs, consumers):
    """Reads of one corpus differ if a transform runs at read and its library changes in between.

    order: transformed at each read, or once before loading
    pinned: whether the transform keeps the version it began with
    bump: the read before which the library changes, of those of all epochs and consumers
    documents: of the corpus, each with one character whose mapping changed
    epochs: that each consumer reads
    consumers: trainings that read the corpus
    """
    calls = 0

    def transform(text, version):
        nonlocal calls
        calls += 1
        return version("NFKC", text)

    with TemporaryDirectory() as folder:
        raw = [Path(folder) / f"{i}.txt" for i in range(documents)]
        for i, file in enumerate(raw):
            file.write_text(f"{i} \u32ff", encoding="utf-8")
            if order == "ETL":
                file.write_text(transform(file.read_text(encoding="utf-8"), OLD), encoding="utf-8")
        digests = set()
        for read in range(epochs * consumers):
            version = OLD if pinned or read < bump else NEW
            texts = [file.read_text(encoding="utf-8") for file in raw]
            if order == "ELT":
                texts = [transform(text, version) for text in texts]
            digests.add(hashlib.sha256("\n".join(texts).encode()).hexdigest())

    assert observe(kinds_of_bytes_and_calls=[len(digests), calls]) == answer(
        order, pinned, bump, documents, epochs, consumers
    )
