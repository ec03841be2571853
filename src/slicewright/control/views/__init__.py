"""What the control plane shows of its state: documents, metrics, explanations, replays."""
