"""Bearer tokens in a file: read, read again when it changes, and expired."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

from slicewright.control.state.events import LOCAL
from slicewright.errors import InvalidOptionError
from slicewright.files.documents import read_document
from slicewright.files.fields import FieldReader

logger = logging.getLogger(__name__)
_read = FieldReader(InvalidOptionError)
LOOK_EVERY_S = 1.0


class Scope(StrEnum):
    """What a token allows; admin includes request, request includes read."""

    READ = "read"
    """Look at everything."""
    REQUEST = "request"
    """Ask for devices, and change one's own."""
    ADMIN = "admin"
    """Change everything."""


@dataclass(frozen=True)
class Token:
    """A bearer token, known by its hash only.

    Attributes:
        name: of its owner, for logs, rate limits and devices.
        sha256: digest of the secret, 64 hexadecimal digits.
        scopes: what it allows.
        expires_s: seconds since 1970 from which on it allows nothing; None: never.
    """

    name: str
    sha256: str
    scopes: frozenset[Scope]
    expires_s: float | None = None


def read_tokens(path: str | Path) -> tuple[Token, ...]:
    """Read ``{tokens: [{name, token or sha256, scopes: [read, request, admin], expires}]}`` in YAML or JSON.

    ``expires`` may be left out; it is a date or a time as in ``2027-01-31T12:00:00Z``, UTC unless it says otherwise.

    Raises:
        InvalidOptionError: what is wrong, and where.
        FileNotFoundError: no such file.
    """
    document = read_document(path, InvalidOptionError)
    _read.only(document, ("tokens",), "")
    entries = _read.require(document, "tokens", "")
    if not isinstance(entries, list) or not entries:
        raise InvalidOptionError("tokens", "must be a list with at least one token", value=entries)
    return tuple(_token(item, f"tokens[{k}]") for k, item in enumerate(entries))


def _token(item: object, where: str) -> Token:
    entry = _read.mapping(item, where)
    _read.only(entry, ("name", "token", "sha256", "scopes", "expires"), where)
    if ("token" in entry) == ("sha256" in entry):
        raise InvalidOptionError(where, "must have either token or sha256")
    digest = str(entry.get("sha256") or hashlib.sha256(str(entry["token"]).encode()).hexdigest()).lower()
    if "token" in entry and len(str(entry["token"])) < 16:
        raise InvalidOptionError(
            f"{where}.token", "must have at least 16 characters", fix="openssl rand -hex 24"
        )
    if len(digest) != 64 or any(c not in "0123456789abcdef" for c in digest):
        raise InvalidOptionError(f"{where}.sha256", "must be 64 hexadecimal digits")
    scopes = _read.require(entry, "scopes", where)
    if not isinstance(scopes, list) or not scopes:
        raise InvalidOptionError(f"{where}.scopes", "must be a list", value=scopes)
    allowed = [_read.choice(s, f"{where}.scopes", [scope.value for scope in Scope]) for s in scopes]
    name = str(_read.require(entry, "name", where))
    if name == LOCAL:
        raise InvalidOptionError(f"{where}.name", "stands for callers without a token", value=name)
    expires = entry.get("expires")
    return Token(
        name,
        digest,
        frozenset(Scope(s) for s in allowed),
        None if expires is None else _time_s(expires, f"{where}.expires"),
    )


def _time_s(value: object, where: str) -> float:
    moment: datetime | None = None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if moment is None:
        raise InvalidOptionError(where, "must be a time such as 2027-01-31T12:00:00Z", value=value)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


@dataclass
class TokenFile:
    """The tokens of a file as it is now: a change counts within a second, and a broken file changes nothing.

    Attributes:
        path: of the file.
        now: gives the time in s, for looking again only now and then.
        refused: how often a changed file could not be read; told by the metrics.
    """

    path: Path
    now: Callable[[], float] = time.monotonic
    refused: int = field(default=0, init=False)
    _tokens: tuple[Token, ...] = field(default=(), init=False)
    _seen: tuple[int, int, int] = field(default=(0, 0, 0), init=False)
    _looked_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._tokens, self._seen, self._looked_s = read_tokens(self.path), self._stamp(), self.now()

    def __call__(self) -> Sequence[Token]:
        """The tokens."""
        now_s = self.now()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            self._look()
        return self._tokens

    def _look(self) -> None:
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp
            self._tokens = read_tokens(self.path)
            logger.warning("%s has changed: %d tokens from now on", self.path, len(self._tokens))
        except (OSError, InvalidOptionError) as error:
            if self._seen != (0, 0, 0):
                self.refused += 1
                logger.error("the tokens stay as they were: %s", error)
            if isinstance(error, OSError):
                self._seen = (0, 0, 0)

    def _stamp(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
