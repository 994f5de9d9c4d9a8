"""Mixtures of experts: how a router is balanced, what falls out, and how much of a model a token uses."""
