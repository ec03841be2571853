"""A journal in a NATS stream: appended to, cut short, copied and put back."""
