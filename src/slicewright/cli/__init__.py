"""The command line: one command, one file per sub-command."""
