"""Placement models as files: ONNX and a card. No torch."""

from __future__ import annotations

from functools import partial

from slicewright.learning.common.model_files import write_model

save_files = partial(write_model, libraries=("slicewright", "torch", "scikit-learn", "onnx", "numpy"))
"""Write a model into a folder, see :func:`slicewright.learning.common.model_files.write_model`."""
