"""The append-only record of everything that happened: in memory, in SQLite files, in a NATS stream."""
