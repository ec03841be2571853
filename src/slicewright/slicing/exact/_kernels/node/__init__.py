"""The most profitable set of devices for one node at given prices, and a bound of what any set gains."""
