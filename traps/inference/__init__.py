"""Serving a language model: what is read, what is kept, and what each token waits for."""
