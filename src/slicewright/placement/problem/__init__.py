"""What is to be placed, and where it can go: tasks, their files and presets, topology, options of a task."""
