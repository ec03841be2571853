"""Fees to begin with: those of a market, of a sweep over nodes, or of levels that the search settled on."""
