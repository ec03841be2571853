"""Shares made real: Linux limits, a test bed, an OpenFlow application, exporters.

Nothing is imported here: each part has needs of its own (root, a kernel feature, an extra) and says so when used.
"""
