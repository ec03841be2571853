"""Labels, training, and both publications again."""
