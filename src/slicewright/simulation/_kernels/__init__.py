"""Compiled parts of the simulator: queues of tasks, devices that move and their links."""
