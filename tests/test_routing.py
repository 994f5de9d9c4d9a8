"""Room at experts, on known cases."""

import torch

from fixtures.routing import kept


def test_tokens_beyond_the_capacity_are_dropped_in_their_order():
    """Of four tokens for one expert the first two find room."""
    choices = torch.zeros(4, 1, dtype=torch.long)
    assert kept(choices, 3, 2).tolist() == [[True], [True], [False], [False]]


def test_second_choices_come_after_all_first_ones():
    """A later token's first choice goes before an earlier one's second."""
    choices = torch.tensor([[0, 1], [1, 0]])
    assert kept(choices, 2, 1).tolist() == [[True, False], [True, False]]


def test_experts_do_not_compete():
    """What one expert serves takes no room from another."""
    choices = torch.tensor([[0], [1], [0], [2]])
    assert kept(choices, 3, 1).tolist() == [[True], [True], [False], [True]]


def test_without_capacity_nothing_is_kept():
    """A capacity of 0 drops every choice."""
    assert not kept(torch.tensor([[0], [1]]), 2, 0).any()
