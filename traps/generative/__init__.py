"""Models that generate: what their objectives charge for, what trains, and how many of them a task needs."""
