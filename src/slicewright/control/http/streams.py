"""Answers that go on for long: counted until they are over, and the journal as one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from slicewright.control.journal.base import Journal


class CountedStream(StreamingResponse):
    """A stream that is counted until it is over, however it ends."""

    def __init__(self, content: AsyncIterator[str], media_type: str, end: Callable[[], None]) -> None:
        super().__init__(content, media_type=media_type)
        self._end = end

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


async def log_stream(journal: Journal, after: int, end: Callable[[], None]) -> CountedStream:
    """The records after a sequence as JSON lines, a piece at a time.

    Args:
        journal: that is read.
        after: sequence of the record before the first.
        end: called once it is over, or cannot begin.

    Raises:
        JournalError: it cannot be read, which is said instead of an answer cut short.
    """
    pieces, none = journal.lines(after), list[str]()
    try:
        first = await anext(pieces, none)
    except BaseException:
        end()
        raise

    async def stream() -> AsyncIterator[str]:
        if first:
            yield "\n".join(first) + "\n"
        async for lines in pieces:
            yield "\n".join(lines) + "\n"

    return CountedStream(stream(), "application/x-ndjson", end)
