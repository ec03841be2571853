"""A slice manager: its state, and the task that runs it on a transport."""
