"""What goes into a model before it trains: which examples are kept, and with what chance."""
