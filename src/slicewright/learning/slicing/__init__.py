"""Training for problem one: the published networks and the size-free one."""
