"""Training a model to behave: fine-tuning on chosen data, rewards, and what they do to what it knew."""
