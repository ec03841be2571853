"""Shares made real: Linux limits, a test bed, an OpenFlow application, exporters (floor 5).

Nothing is imported here: each part has needs of its own (root, a kernel feature, an extra) and says so when used.
"""
