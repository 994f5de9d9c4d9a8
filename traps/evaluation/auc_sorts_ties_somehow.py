"""AUC with tied scores

An AUC is computed by sorting rows by score and walking down. Many scores are tied, as those of a decision
tree are. Does the order of tied rows matter?

Answer: In such a walk it does: with all scores tied it says 1 if the positives happen to stand first and
    0 if they stand last. AUC is the chance that a positive scores above a negative, with half for a tie,
    so all tied makes 0.5. Take ranks, with the mean rank for ties, or a library that does; and shuffle
    the rows of a test to see whether yours does.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic
    curve", Radiology 143, pages 29-36, https://doi.org/10.1148/radiology.143.1.7063747
Source: SciPy documentation 2025, scipy.stats.mannwhitneyu,
    https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.mannwhitneyu.html
Terms: AUC, ROC AUC, ROC curve, ties, Mann-Whitney, rank sum, decision tree, quantized scores, row order,
    ranking metric
Right when: No positive is tied with a negative.
Limits: Exact ties; scores that differ in their last bits for no reason are ordered all the same. Hanley
    and McNeil were read in quotations.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def walk_in_the_order_of_rows(rows):
    """Sort by score, ties as they come, and count the negatives below each positive."""
    ordered = [label for _, label in sorted(rows, key=lambda row: -row[0])]
    below = [ordered[i + 1 :].count(0) for i, label in enumerate(ordered) if label]
    return sum(below) / (ordered.count(1) * ordered.count(0))


def ties_are_lost(rows):
    """A tie is no win: only pairs with a higher positive count."""
    pairs = [(p, n) for p, positive in rows for n, negative in rows if positive and not negative]
    return sum(p > n for p, n in pairs) / len(pairs)


def ties_count_a_half(rows):
    """The share of pairs in which the positive scores higher, and half of those that tie.

    With all scores tied that is 0.5, in whatever order the rows come.
    """
    pairs = [(p, n) for p, positive in rows for n, negative in rows if positive and not negative]
    return sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs)


labelled = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=2, max_size=12)


@claim(wrong=(walk_in_the_order_of_rows, ties_are_lost), right=ties_count_a_half)
@example(rows=[(1, 1), (1, 0)])
@example(rows=[(1, 0), (1, 1)])
@example(rows=[(2, 1), (1, 0)])
@given(rows=labelled.filter(lambda rows: {label for _, label in rows} == {0, 1}))
def test_auc_of_tied_scores(answer, rows):
    """AUC is the Mann-Whitney statistic over the pairs, in which a tie counts a half.

    rows: score and label of each row, in their order
    """
    from scipy.stats import mannwhitneyu

    positives, negatives = ([score for score, label in rows if label == side] for side in (1, 0))
    statistic = mannwhitneyu(positives, negatives).statistic

    assert observe(auc=float(statistic) / (len(positives) * len(negatives))) == approx(answer(rows))
