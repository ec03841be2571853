"""A journal in SQLite files: appended to, rotated, copied and put back."""
