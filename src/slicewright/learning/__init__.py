"""Training, for both problems; needs the extra ``train``. What a shipped network needs at run time is in ``models``."""
