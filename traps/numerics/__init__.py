"""What a number becomes when it is stored: range, rounding, and the updates that vanish in between."""
