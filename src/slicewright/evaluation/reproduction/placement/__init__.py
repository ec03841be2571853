"""The publication on the GNN, item by item."""
