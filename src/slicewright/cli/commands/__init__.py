"""One file per sub-command, in rooms by what they are for."""
