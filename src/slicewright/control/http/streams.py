"""Answers that go on for long: counted until they are over, and the journal as one of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from slicewright.control.journal.base import Journal, JournalError

logger = logging.getLogger(__name__)


class CutShortError(Exception):
    """The rest of a stream cannot be sent, or must not be."""


class CountedStream(StreamingResponse):
    """A stream that is counted until it is over, however it ends.

    One that is cut short is never completed: the server closes the connection instead, and its client sees that what
    it has is not all there is.
    """

    def __init__(self, content: AsyncIterator[str], media_type: str, end: Callable[[], None]) -> None:
        super().__init__(content, media_type=media_type)
        self._end = end

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        except CutShortError as error:
            logger.warning("%s is cut short: %s", scope["path"], error)
        finally:
            self._end()


async def log_stream(
    journal: Journal, after: int, end: Callable[[], None], *, allowed: Callable[[], bool]
) -> CountedStream:
    """The records after a sequence as JSON lines, a piece at a time.

    Args:
        journal: that is read.
        after: sequence of the record before the first.
        end: called once it is over, or cannot begin.
        allowed: asked before every piece: a long log takes longer than some tokens live.

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
        try:
            async for lines in pieces:
                if not allowed():
                    raise CutShortError("its caller may read it no more")
                yield "\n".join(lines) + "\n"
        except JournalError as error:
            raise CutShortError(str(error)) from None

    return CountedStream(stream(), "application/x-ndjson", end)
