"""Writing text token by token: what a draft may change, what it pays, and when to think first."""
