"""The version, importable from every floor."""

__version__ = "0.2.0"
