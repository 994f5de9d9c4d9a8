"""How a training budget is spent: on size, on data, on repeats, and what scaling laws say of it."""
