"""Training of the size-free network."""
