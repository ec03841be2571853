"""The control plane of one process: an orchestrator, slice managers, or both."""
