"""Tools: what is done with the corpus besides running it."""
