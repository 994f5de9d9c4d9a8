"""Streams run kernels in their order, and a host that does not wait is ahead of them."""

from fixtures.streams import ThreadStream, VirtualStream


def test_a_launch_returns_before_its_kernel_ends():
    """The host's clock moves by the launch alone, and by the kernel when it waits."""
    stream = VirtualStream(5, 1000)
    stream.launch()
    assert (stream.clock(), stream.idle_at) == (5, 1005)
    stream.synchronize()
    assert stream.clock() == 1005


def test_kernels_run_one_after_the_other():
    """A kernel begins after the one before it, or after its launch if the device is idle by then."""
    slow, quick = VirtualStream(5, 1000), VirtualStream(5, 1)
    slow.launch(3)
    quick.launch(3)
    assert (slow.idle_at, quick.idle_at) == (3005, 16)


def test_a_stream_is_idle_before_its_first_kernel():
    """Waiting for nothing takes no time."""
    stream = VirtualStream(5, 1000)
    stream.synchronize()
    assert (stream.clock(), stream.idle_at) == (0, 0)


def test_a_full_queue_makes_the_host_wait():
    """With two places the third launch waits until the first kernel has ended."""
    stream = VirtualStream(1, 10, depth=2)
    stream.launch(2)
    assert (stream.clock(), stream.waited) == (2, 0)
    stream.launch()
    assert (stream.clock(), stream.waited) == (11, 8)


def test_a_thread_finishes_nothing_before_the_host_waits():
    """Products are behind a gate that only a synchronization opens."""
    with ThreadStream() as stream:
        stream.launch(3)
        assert stream.clock() == 0
        stream.synchronize()
        assert stream.clock() == 3
        stream.launch()
        assert stream.clock() == 3


def test_a_thread_that_is_left_finishes():
    """Leaving the stream opens the gate, so that no thread hangs."""
    with ThreadStream() as stream:
        stream.launch(2)
    assert stream.clock() == 2
