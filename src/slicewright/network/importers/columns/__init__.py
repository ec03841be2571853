"""Tables of columns, as spreadsheets save them, and the units in their headers."""
