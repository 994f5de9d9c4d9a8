"""What training costs: FLOPs, parameters and tokens, counted on models small enough to count on."""
