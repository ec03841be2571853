"""The northbound HTTP API: FastAPI over the control plane."""

from slicewright.control.http.app import create_app
from slicewright.control.http.guards.auth import Access, Scope, Token, read_tokens

__all__ = ["Access", "Scope", "Token", "create_app", "read_tokens"]
