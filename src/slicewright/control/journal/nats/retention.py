"""What becomes of old records in a NATS stream: checkpoints hold the whole state, what is before one is history."""

from __future__ import annotations

import logging

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

logger = logging.getLogger(__name__)
PARTS = "Slicewright-Parts"
"""Header: how many messages before this one belong to it."""
_WAIT_S = 5.0


async def retire(stream: JetStreamContext, name: str, checkpoints: str, *, keep: int) -> None:
    """Remove what is older than some of the newest checkpoints; what cannot be removed now is with the next one.

    The server removes up to a message that it is told, so a record that is written meanwhile is not touched.

    Args:
        stream: way to the server. name: of the stream. checkpoints: subject of messages that begin with one.
        keep: so many checkpoints stay, with everything after the oldest of them.
    """
    try:
        starts = await checkpoint_starts(stream, name, checkpoints)
        if len(starts) > keep:
            await stream.purge_stream(name, seq=starts[-keep])
            logger.info("stream %s begins at message %d now", name, starts[-keep])
    except APIError as error:
        # A stream that was made to keep everything cannot be made to forget.
        logger.error("stream %s keeps its old records: %s; back it up and restore it anew", name, error)
    except (NatsError, OSError) as error:
        logger.warning("stream %s keeps its old records for now: %s", name, error or type(error).__name__)


async def checkpoint_starts(stream: JetStreamContext, name: str, checkpoints: str) -> list[int]:
    """First message of every checkpoint in a stream, its parts counted in; oldest first."""
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, headers_only=True)
    reader = await stream.subscribe(checkpoints, stream=name, ordered_consumer=True, config=config)
    starts: list[int] = []
    try:
        info = await reader.consumer_info()
        sent = info.delivered.consumer_seq if info.delivered is not None else 0
        if info.num_pending == 0 and not sent:  # by now all may have been sent, and wait here to be read
            return []
        while True:
            message = await reader.next_msg(timeout=_WAIT_S)
            parts = (message.headers or {}).get(PARTS, "0")
            starts.append(message.metadata.sequence.stream - (int(parts) if parts.isdecimal() else 0))
            if message.metadata.num_pending == 0:
                return starts
    finally:
        await reader.unsubscribe()
