"""What travels between orchestrator and slice managers."""
