"""Bytes on their way through a server that limits them: compressed, in pieces, and never more than is good for us."""

from __future__ import annotations

import zlib

_PACKED_FROM = 64 * 1024
_PLAIN, _PACKED = b"p", b"z"
MOST_BYTES = 1 << 30
"""Nobody unpacks more: a few kilobytes can be made to unpack to anything."""


def pack(plain: bytes) -> bytes:
    """Compressed if that is worth the time."""
    return _PLAIN + plain if len(plain) < _PACKED_FROM else _PACKED + zlib.compress(plain, 1)


def unpack(packed: bytes, *, most: int = MOST_BYTES) -> bytes:
    """What was packed.

    Raises:
        ValueError: it was not, it is damaged, or it would be more than ``most`` bytes.
    """
    if packed[:1] == _PLAIN:
        return packed[1:]
    if packed[:1] != _PACKED:
        raise ValueError("is not packed by us")
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(packed[1:], most)
    except zlib.error as error:
        raise ValueError(f"cannot be unpacked: {error}") from None
    if not unpacking.eof:
        raise ValueError(f"unpacks to more than {most} bytes, or is cut off")
    return plain


def pieces(packed: bytes, most: int) -> list[bytes]:
    """Cut into pieces of at most so many bytes; at least one."""
    return [packed[start : start + most] for start in range(0, max(1, len(packed)), most)]
