"""Models that choose what people see and pay: what they are trained on, and what that does."""
