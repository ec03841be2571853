"""The control plane: slice resource orchestrator (SRO), slice managers, transports, HTTP API."""
