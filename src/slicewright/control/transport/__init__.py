"""How orchestrators and slice managers reach each other: in memory, or over NATS."""
