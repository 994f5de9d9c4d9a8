"""What a request waits for and what a service pays, where the model is only one of the parts."""
