"""What a training run remembers, and what becomes of it when it resumes without."""
