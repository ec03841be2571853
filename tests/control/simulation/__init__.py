"""A simulated world: the real orchestrators and managers in virtual time, on a store and a transport that misbehave.

``python -m tests.control.simulation`` (``make simulate-faults``) runs one schedule after the other; a schedule is a
seed, and the seed repeats it. What must hold is said in ``judge.py``, what may go wrong in ``world.py``.
"""
