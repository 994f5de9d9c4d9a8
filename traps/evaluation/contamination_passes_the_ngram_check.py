"""A contaminated benchmark

A new model scores 95 % on MMLU, above GPT-4, and the press release is being written. An n-gram overlap
check of the training data is clean. What could still void the result?

Answer: Contamination by meaning: if a share c of the test was seen in other words and memorized, the
    score rises from fresh to fresh + c·(1 - fresh), here from 0.45 to 0.93 at c = 0.9, while no n-gram is
    shared. One edit in every 13 words hides a text from a 13-gram check. So test on items that were
    written after the training data, and look for paraphrases as well.
Says: A check of train-test overlap by n-grams cannot identify paraphrased questions; the model memorizes
    them, and the score is inflated.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 8
Source: Yang et al. 2023, "Rethinking Benchmark and Contamination for Language Models with Rephrased
    Samples", abstract, https://arxiv.org/abs/2311.04850
Terms: data contamination, contamination, test set leakage, leakage, n-gram, n-gram overlap, 13-gram,
    paraphrase, decontamination, MMLU, memorization, benchmark
Right when: The leaked items are verbatim, or none has leaked.
Limits: A small net on sentences of random words, each with a synonym whose vector is close, four copies
    of a leaked item, of which every sixth word is another one: what a language model memorizes of one
    paraphrase is not shown. How paraphrases are found is the page embeddings_confirm_contamination. Of
    the paper the abstract was read.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def clean_report(leaked, copied, fresh):
    """What the check finds inflates the score; if it finds nothing, the score is that on fresh items."""
    return leaked_items_are_known(leaked, copied, fresh) if copied == "verbatim" else fresh


def leaked_items_on_top(leaked, copied, fresh):
    """Every leaked item is answered, so the score rises by their share, to fresh + c."""
    return min(1.0, fresh + leaked)


def leaked_items_are_known(leaked, copied, fresh):
    """The score rises by those leaked items that would have been wrong, in the same words or others.

    It is fresh + c·(1 - fresh), as a leaked item that would have been right anyway adds nothing.
    """
    return fresh + leaked * (1 - fresh)


def all_that_is_verbatim(length, every):
    """As many words as are left untouched, which is nearly all: 93 of 100 if every 13th is edited."""
    return length - length // every


def as_long_as_the_gap(length, every):
    """Edits every 13 words leave 13 words in a row."""
    return min(every, length)


def between_two_edits(length, every):
    """One less than from edit to edit: 12 of 100 words if every 13th is edited."""
    return min(every - 1, length)


WORDS, VOCAB, DIM, TEST = 12, 200, 6, 400


@cache
def accuracies(leaked, copied, seed, device):
    """Accuracy on a test of which a share leaked, on fresh items, and how many 8-grams were shared."""
    torch.manual_seed(seed)
    words = torch.randn(VOCAB, DIM)
    table = torch.cat([words, words + 0.3 * torch.randn(VOCAB, DIM)])  # behind the words their synonyms
    rule = torch.randn(WORDS * DIM, 4)

    def items(n):
        ids = torch.randint(VOCAB, (n, WORDS))
        scores = table[ids].flatten(1) @ rule
        return ids, (scores + 1.2 * (WORDS * DIM) ** 0.5 * torch.randn(n, 4)).argmax(-1)

    (trained, labels), (test, keys), (new, answers) = items(800), items(TEST), items(2000)
    seen = round(leaked * TEST)
    other = torch.arange(WORDS) % 6 == 5  # every sixth word of a paraphrase is a synonym
    copies = test[:seen] + VOCAB * other * (copied == "paraphrased")
    trained = torch.cat([trained, *[copies] * 4])
    labels = torch.cat([labels, *[keys[:seen]] * 4])
    net = torch.nn.Sequential(torch.nn.Linear(WORDS * DIM, 128), torch.nn.ReLU(), torch.nn.Linear(128, 4)).to(
        device
    )
    optimizer, x = torch.optim.Adam(net.parameters(), lr=0.01), table[trained].flatten(1).to(device)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(net(x), labels.to(device)).backward()
        optimizer.step()

    def accuracy(ids, right):
        return (net(table[ids].flatten(1).to(device)).argmax(-1).cpu() == right).double().mean().item()

    shared = grams(trained.tolist(), 8) & grams(test.tolist(), 8)
    return accuracy(test, keys), accuracy(new, answers), len(shared)


def grams(texts, n):
    """All n words in a row of some texts."""
    return {tuple(text[i : i + n]) for text in texts for i in range(len(text) - n + 1)}


@claim(
    wrong=(clean_report, leaked_items_on_top), right=leaked_items_are_known, evidence="trained", examples=2
)
@example(leaked=0.9, copied="paraphrased", seed=0)
@example(leaked=0.9, copied="verbatim", seed=0)
@example(leaked=0.5, copied="paraphrased", seed=0)
@example(leaked=0.0, copied="paraphrased", seed=0)
@given(
    leaked=st.sampled_from([0.9, 0.5, 0.25, 0.0]),
    copied=st.sampled_from(["paraphrased", "verbatim"]),
    seed=st.integers(0, 9999),
)
def test_contamination_of_a_score(answer, device, leaked, copied, seed):
    """A test whose items were trained on reads high in other words as in the same, where 8-grams find it.

    leaked: share of the test whose copies were trained on
    copied: word by word, or with two other words of twelve
    fresh: accuracy on new items
    """
    score, fresh, shared = accuracies(leaked, copied, seed, device)

    assert (observe(shared_8grams=shared) > 0) == (leaked > 0 and copied == "verbatim")
    # Five standard errors of the items that have not leaked, and 0.01 for those that were not memorized.
    error = 5 * (0.25 * (1 - leaked) / TEST) ** 0.5 + 0.01
    assert observe(score=score) == approx(answer(leaked, copied, observe(fresh=fresh)), abs=error)


@claim(wrong=(all_that_is_verbatim, as_long_as_the_gap), right=between_two_edits, evidence="derived")
@example(length=100, every=13)
@example(length=100, every=14)
@given(length=st.integers(1, 120), every=st.integers(2, 20))
def test_contamination_found_by_ngrams(answer, length, every):
    """An n-gram check finds an edited text if n of its words in a row are untouched, and no others count.

    length: words of the text
    every: the distance of two edited words
    """
    text = list(range(length))
    edited = [-1 if word % every == every - 1 else word for word in text]

    longest = max(n for n in range(length + 1) if n == 0 or grams([text], n) & grams([edited], n))
    assert observe(longest_shared_ngram=longest) == answer(length, every)
