"""Networks of problem two: where tasks are placed."""
