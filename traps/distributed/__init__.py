"""Training on many devices: what is sent, what is kept, and what waits."""
