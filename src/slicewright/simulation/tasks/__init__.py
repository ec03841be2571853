"""Tasks: what arrives, the queues it waits in, and what became of it."""
