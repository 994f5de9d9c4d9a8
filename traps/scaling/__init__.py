"""What grows with a model: FLOPs, weights, learning rates, observed on models small enough to count on."""
