"""How weights move: what an optimizer, a penalty or a norm does to them, and what it is only said to do."""
