"""Slicing: what the publication leaves to future work: other regimes, fewer labels, small nodes."""
