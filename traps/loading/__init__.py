"""How data reaches the model: what a loader reads, holds and waits for."""
