"""Learned models of problem one: features, networks, training, export (floor 4).

``features`` and ``cards`` need numpy only, because policies run exported models without torch; every other module
here needs the extra ``train``.
"""
