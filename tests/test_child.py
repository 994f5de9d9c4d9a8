"""A child that tells a number, and leaves nothing."""

import os

import pytest

from fixtures.child import in_a_child


def test_a_child_tells_what_it_found():
    """The number comes back, and what the child changed does not."""
    changed = []

    def run():
        changed.append(1)
        return len(changed) + 0.5

    assert in_a_child(run) == 1.5
    assert changed == []


@pytest.mark.parametrize("run", [lambda: 1 / 0, lambda: os._exit(3)], ids=["raises", "dies"])
def test_a_child_that_fails_is_told_of_and_gone(run):
    """Whether it raises or dies, an error says so, and no process and no pipe is left."""
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(RuntimeError, match="did not finish"):
        in_a_child(run)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert (len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0) == before
