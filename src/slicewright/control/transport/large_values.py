"""Values of any size through a server that limits messages: compressed where that helps, and in pieces where it must.

A small value travels as it is. A larger one begins with a byte that no document begins with, then it is compressed; one
that is still too large is cut, its pieces are put under keys of their own, and the value names them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable

from slicewright.control.transport.packing import pack, pieces, unpack

PIECES = "pieces"
"""Kind of the keys of pieces: nobody watches it."""
_PACKED, _CUT = b"\x00", b"\x01"
_PLAIN_UP_TO = 64 * 1024
_HEADERS = 1024
Put = Callable[[str, bytes], Awaitable[int]]
Get = Callable[[str], Awaitable[bytes | None]]


async def put_pieces(value: bytes, *, key: str, most: int, put: Put) -> bytes:
    """What to put under the key itself; pieces are put before it.

    Args:
        value: any bytes. key: of the value.
        most: bytes that a message may have. put: puts a piece under a key.
    """
    room = max(1, most - _HEADERS)
    if len(value) <= min(room, _PLAIN_UP_TO) and value[:1] not in (_PACKED, _CUT):
        return value
    packed = pack(value)
    if len(packed) < room:
        return _PACKED + packed
    digest = hashlib.sha256(packed).hexdigest()
    start = f"{PIECES}.{hashlib.sha256(key.encode()).hexdigest()[:32]}.{digest[:16]}"
    cut = pieces(packed, room)
    for k, piece in enumerate(cut):
        await put(f"{start}.{k}", piece)
    return _CUT + json.dumps({"start": start, "count": len(cut), "sha256": digest}).encode()


async def whole(value: bytes, get: Get) -> bytes | None:
    """The value behind what is under a key; None where pieces of it are gone, since a newer one has come, or damaged.

    Args:
        value: as it is under the key.
        get: the piece under a key.
    """
    try:
        if value[:1] == _PACKED:
            return unpack(value[1:])
        if value[:1] != _CUT:
            return value
        told = json.loads(value[1:])
        found = [await get(f"{told['start']}.{k}") for k in range(int(told["count"]))]
        packed = b"".join(piece or b"" for piece in found)
        if hashlib.sha256(packed).hexdigest() != told["sha256"]:
            return None
        return unpack(packed)
    except (ValueError, KeyError, TypeError):
        return None


def start_of(value: bytes) -> str | None:
    """Where the pieces of a value are; None if it has none."""
    if value[:1] != _CUT:
        return None
    try:
        start: str = json.loads(value[1:])["start"]
    except (ValueError, KeyError, TypeError):
        return None
    return start
