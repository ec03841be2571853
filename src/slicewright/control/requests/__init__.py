"""What callers may ask for, and on whose behalf: pure functions from the state to events, or a refusal."""
