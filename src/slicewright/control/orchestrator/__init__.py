"""The slice resource orchestrator: one turn as a pure function, and the loop around it."""
