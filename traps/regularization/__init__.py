"""What keeps a network from learning its examples by heart, and what that does to weights and export."""
