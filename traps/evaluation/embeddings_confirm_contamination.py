"""Contamination audits by embedding similarity

A benchmark is audited for leaked items by the cosine similarity of embeddings, because paraphrases share
no n-gram. Which threshold tells a leaked paraphrase from a harmless neighbor?

Answer: None. An item with one other word, on which its answer turns, is closer than a paraphrase of many
    words: with synonyms at a cosine of 0.55, 8 of them move a mean of word vectors nearly as far as 4
    other words do. So similarity proposes candidates; whether they give the answer away is for a judge
    that reads both, and items that were written after the training data settle what the score is worth.
Says: An audit by embedding similarity, as of Sentence-BERT, identifies near-duplicates despite other
    words, and confirms that a high score stems from genuine generalization.
Verdict: imprecise: it finds candidates that n-grams miss, but a harmless near-miss can be the more
    similar one, so it confirms nothing by itself
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 8
Source: Yang et al. 2023, "Rethinking Benchmark and Contamination for Language Models with Rephrased
    Samples", abstract, and figure 1: embeddings struggle to tell a rephrased question from others of its
    subject, https://arxiv.org/abs/2311.04850
Source: Reimers and Gurevych 2019, "Sentence-BERT", abstract, https://arxiv.org/abs/1908.10084
Terms: data contamination, contamination, embedding_similarity, embedding similarity, cosine similarity,
    paraphrase, near-duplicate, Sentence-BERT, threshold, decontamination, leakage, LLM judge
Right when: Paraphrases swap few words, by close synonyms.
Limits: The geometry is put in: orthogonal word vectors and synonyms, averaged. An encoder that reads
    context may do better; none was run. Ties are left out. Of both papers the abstracts were read, and of
    the first a caption.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def any_word_that_matters(swapped, similarity):
    """One: the paraphrase means the same and the near-miss does not, so the paraphrase is closer."""
    return 1


def more_words_than_were_swapped(swapped, similarity):
    """The one in which fewer words were touched is closer, so it takes 9 words against 8 synonyms."""
    return swapped + 1


def more_than_the_synonyms_moved(swapped, similarity):
    """More than swapped · (1 - similarity): 4 for 8 synonyms at 0.55, and one less is closer.

    A mean of word vectors knows how far words moved, and not whether the answer changed with them.
    """
    return int(swapped * (1 - similarity)) + 1


@claim(
    wrong=(any_word_that_matters, more_words_than_were_swapped),
    right=more_than_the_synonyms_moved,
    evidence="derived",
)
@example(swapped=8, similarity=0.55)
@example(swapped=8, similarity=0.95)
@given(swapped=st.integers(1, 19), similarity=st.sampled_from([0.35, 0.55, 0.85, 0.95]))
def test_contamination_by_similarity(answer, swapped, similarity):
    """A near-miss is closer to a test item than its paraphrase until so many of its words are other ones.

    swapped: words of the paraphrase that are synonyms
    similarity: cosine of a word and its synonym
    """
    # 20 words, and a direction for each of their synonyms, which other words take as well.
    words, away = torch.eye(40, dtype=torch.float64).split(20)
    synonyms = similarity * words + (1 - similarity**2) ** 0.5 * away
    item = words.mean(0)
    paraphrase = torch.cat([synonyms[:swapped], words[swapped:]]).mean(0)
    near_misses = torch.stack([torch.cat([away[:n], words[n:]]).mean(0) for n in range(21)])

    further = F.cosine_similarity(near_misses, item[None]) < F.cosine_similarity(paraphrase, item, 0)
    assert observe(other_words=int(further.int().argmax())) == answer(swapped, similarity)
