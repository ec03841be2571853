"""Learned models of problem one: features, networks, training, export (floor 4).

What policies need to run exported models (``features``, ``cards``, ``decoding``), and ``instances``, ``metrics`` and
``model_files``, do without torch; every other module here needs the extra ``train``.
"""
