"""What trainings of both problems share: the training loop, export and model files."""
