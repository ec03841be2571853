"""SP1 inside one grant: the closed form, or the advice of a learned model."""
