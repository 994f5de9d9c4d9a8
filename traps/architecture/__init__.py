"""What the parts of a model compute, and what only looks like the same computation."""
