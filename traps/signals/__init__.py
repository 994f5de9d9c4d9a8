"""How activations, gradients and updates change with the depth and the width of a network."""
