"""Mixtures of experts: how a router is balanced, what falls out of it, and how much of a model a token uses."""
