"""Learned placement (model page 2): labels, features, the published classifiers, and a size-free network.

Modules that need torch or scikit-learn say so; the others serve on a core installation.
"""
