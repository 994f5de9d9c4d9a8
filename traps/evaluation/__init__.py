"""How a model is judged: test sets, benchmarks, leaderboards and the figures that they print."""
