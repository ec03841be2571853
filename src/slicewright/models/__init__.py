"""Trained networks at run time: their cards, what they see of a problem, and their answers by ONNX. No torch."""
