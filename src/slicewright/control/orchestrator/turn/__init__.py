"""One turn of the orchestrator and all that it works out: pure, values in and values out."""
