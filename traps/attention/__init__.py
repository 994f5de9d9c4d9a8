"""How a model attends: where positions enter, and what is kept of the tokens before."""
