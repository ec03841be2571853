"""Plans made real: exported, carried out on this machine, or decided live by the control plane."""
