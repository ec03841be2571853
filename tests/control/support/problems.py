"""Problem documents as answers."""

from __future__ import annotations

import httpx


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:slicewright:problem:{code}"
    return document
