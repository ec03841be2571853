"""Where devices are, which links they have there, and when they come and go."""
