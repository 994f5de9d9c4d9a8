"""What a tokenizer makes of a text, and what that costs."""
