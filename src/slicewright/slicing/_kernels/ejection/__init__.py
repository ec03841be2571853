"""A device takes another one's place on a node, and that one goes where it is best off."""
