"""Who solves the labels: worker processes on this machine, or a Ray cluster."""
