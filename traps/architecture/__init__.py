"""What the parts of a model compute, how signals pass through them, and what only looks like the same."""
