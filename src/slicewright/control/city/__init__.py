"""The control plane of a city: one event after the other, each decided by what it touches."""
