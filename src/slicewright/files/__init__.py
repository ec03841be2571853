"""Documents, fields of documents, sources and pictures: how every room reads and writes files."""
