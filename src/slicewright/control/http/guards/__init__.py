"""What stands before the operations: who may ask, how much, in what form, and how long it may take."""
