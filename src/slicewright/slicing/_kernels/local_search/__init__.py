"""Local search: best response of those to whom prices promise something, and exchanges of links."""
