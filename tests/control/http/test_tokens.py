"""Tokens expire, and their file is read again when it changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message

from slicewright.control.http.guards.auth import Access, TokenFile, read_tokens
from slicewright.control.http.streams import log_stream
from slicewright.control.journal.base import JournalError
from slicewright.control.journal.memory import MemoryJournal
from slicewright.errors import InvalidOptionError
from slicewright.network.scenario import Scenario
from tests.control.http.test_owners import bearer, token
from tests.control.support.problems import problem
from tests.control.support.running import running

LINE = "- {{name: {0}, token: {0}{0}{0}{0}{0}{0}, scopes: [read]{1}}}\n"


def write(file: Path, *lines: str) -> None:
    """Replace the file, and let it look changed however coarse the clock of the file system is."""
    file.write_text("tokens:\n" + "".join(lines))
    stamp = file.stat().st_mtime_ns + 10**9 * (1 + len(lines))
    os.utime(file, ns=(stamp, stamp))


def test_an_expired_token_is_none(small: Scenario) -> None:
    now = [100.0]
    access = Access((token("brief", "read", expires_s=200.0),), now=lambda: now[0])

    async def story() -> None:
        async with running(small, access=access) as (_, client):
            assert (await client.get("/v1/plan", headers=bearer("brief"))).status_code == 200
            now[0] = 200.0
            problem(await client.get("/v1/plan", headers=bearer("brief")), 401, "unauthorized")

    asyncio.run(story())


class _InPieces(MemoryJournal):
    """Three pieces of one line; the third may be unreadable."""

    def __init__(self, *, readable: bool) -> None:
        super().__init__()
        self._readable = readable

    async def lines(self, after: int = 0) -> AsyncIterator[list[str]]:
        for k in range(3):
            if k == 2 and not self._readable:
                raise JournalError("cannot be read")
            yield [f"line {k}"]


@pytest.mark.parametrize(
    ("asked", "readable", "whole"), [(2, True, False), (9, False, False), (9, True, True)]
)
def test_a_log_that_may_or_can_be_read_no_more_is_cut_short(asked: int, readable: bool, whole: bool) -> None:
    sent: list[Message] = []
    left, ended = iter([True] * (asked - 1) + [False]), list[str]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nothing more is said")

    async def story() -> None:
        journal = _InPieces(readable=readable)
        answer = await log_stream(journal, 0, lambda: ended.append("over"), allowed=lambda: next(left))
        await answer({"type": "http", "path": "/v1/log"}, receive, send)

    asyncio.run(story())
    told = b"".join(message.get("body", b"") for message in sent)
    assert told == (b"line 0\nline 1\nline 2\n" if whole else b"line 0\nline 1\n")
    assert sent[-1]["more_body"] is not whole, "an answer that is not completed is seen to be none"
    assert ended == ["over"]


@pytest.mark.parametrize(
    "written", ["2027-01-31T12:00:00Z", "2027-01-31 12:00:00", "'2027-01-31T13:00:00+01:00'"]
)
def test_times_of_expiry(written: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.yaml"
    write(file, LINE.format("anna", f", expires: {written}"))
    (found,) = read_tokens(file)
    assert found.expires_s == 1801396800.0
    for wrong in ("soon", "12", "[]"):
        write(file, LINE.format("anna", f", expires: {wrong}"))
        with pytest.raises(InvalidOptionError, match="must be a time"):
            read_tokens(file)


def test_no_token_is_called_like_callers_without(tmp_path: Path) -> None:
    file = tmp_path / "tokens.yaml"
    write(file, LINE.format("local", ""))
    with pytest.raises(InvalidOptionError, match="callers without a token"):
        read_tokens(file)


def test_a_changed_file_counts_and_a_broken_one_does_not(tmp_path: Path) -> None:
    file, now = tmp_path / "tokens.yaml", [0.0]
    write(file, LINE.format("anna", ""))
    tokens = TokenFile(file, now=lambda: now[0])

    def names() -> list[str]:
        now[0] += 2.0
        return [found.name for found in tokens()]

    write(file, LINE.format("anna", ""), LINE.format("ben", ""))
    assert [found.name for found in tokens()] == ["anna"], "nobody looks at a file for every request"
    assert names() == ["anna", "ben"]
    write(file, "- nonsense\n", "", "")
    assert names() == names() == ["anna", "ben"] and tokens.refused == 1
    file.unlink()
    assert names() == names() == ["anna", "ben"] and tokens.refused == 2
    write(file, LINE.format("carl", ""))
    assert names() == ["carl"]
    assert not Access(tokens).open
