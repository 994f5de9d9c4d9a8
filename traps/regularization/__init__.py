"""What keeps a network from learning its examples by heart, and what it does to the weights and their export."""
