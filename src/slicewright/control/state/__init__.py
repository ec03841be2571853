"""What the orchestrator knows and what can happen to it: values and pure functions, no sockets, no files."""
