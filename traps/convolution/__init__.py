"""Kernels that slide over an input: what they share, what they learn from, and what pooling makes of them."""
