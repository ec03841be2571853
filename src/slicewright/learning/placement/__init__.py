"""Learned placement (model page 2): labels, features, the published classifiers, and a size-free network.

Modules that need torch or scikit-learn say so; the others serve on a core installation. The shipped models were made
with one command each, on one thread, and are made again by it::

    slicewright train placement --model queue-network --out src/slicewright/models/weights/placement

and likewise with ``gnn``, ``mlp`` and ``decision-tree``.
"""
