"""What commands show on a terminal: tables of plans and scenarios."""
