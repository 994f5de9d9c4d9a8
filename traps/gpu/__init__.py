"""What a GPU waits for: memory, the slowest lane of a warp, and a host that asks too early."""
