"""Names on their way to root's programs: whatever people call things, ``ip``, ``tc`` and ``ovs`` see slugs only.

``ip -batch`` and ``tc -batch`` read commands line by line and split them at blanks: a name with a newline in it would
be a command of its own. Two walls, each enough by itself: names become slugs where they enter (:func:`slugs`), and what
is fed to a program is refused unless its characters are harmless (:func:`refuse_odd_line`, :func:`refuse_odd_name`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address

from slicewright.errors import EnforcementError, InvalidOptionError

LONGEST_SLUG = 48
_OTHER = re.compile(r"[^a-z0-9]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_-]{0,99})*")
_MINOR = re.compile(r"[0-9a-f]{1,4}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_LINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@=+-]*")
_SHOWN = 60


def slugs(names: Iterable[str]) -> tuple[str, ...]:
    """Names that file systems, kernels and clusters accept: lower case letters, digits, hyphens; all different."""
    return distinct([_slug(name) for name in names], longest=LONGEST_SLUG)


def _slug(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return _OTHER.sub("-", bare.lower()).strip("-")[:LONGEST_SLUG].rstrip("-") or "x"


def distinct(names: Sequence[str], *, longest: int) -> tuple[str, ...]:
    """The names, those that come again with a number behind them and no longer than allowed; all different.

    The first of several that are the same stays as it is; the number of the others begins with their index and goes
    on counting, so that it makes no name that anybody has.
    """
    made, taken, used = list(names), set(names), set[str]()
    for index, name in enumerate(names):
        number = index
        while made[index] in used:
            candidate = name[: longest - 1 - len(str(number))].rstrip("-") + f"-{number}"
            if candidate not in taken:
                made[index] = candidate
                taken.add(candidate)
            number += 1
        used.add(made[index])
    return tuple(made)


def refuse_odd_name(name: str) -> None:
    """Raise unless a network namespace may be called so.

    Raises:
        EnforcementError: it may not, which no caller of ours should let happen.
    """
    if _NAME.fullmatch(name) is None:
        raise EnforcementError(f"{_shown(name)} is no name for a network namespace")


def refuse_odd_line(line: str) -> None:
    """Raise unless a line for a program's batch mode is one line of plain words.

    Raises:
        EnforcementError: it has a newline, a quote, a comment or anything else that such programs read specially.
    """
    if _LINE.fullmatch(line) is None:
        raise EnforcementError(f"{_shown(line)} is not fed to a program of the system")


def check_interface(name: str) -> str:
    """The name of an interface.

    Raises:
        InvalidOptionError: no interface is called so.
    """
    return _checked(
        _INTERFACE, name, "interface", "must be 1 to 15 letters, digits, dots, hyphens or underscores"
    )


def check_group(key: str, field: str) -> str:
    """The path of a CPU group below another.

    Raises:
        InvalidOptionError: it leads elsewhere, or has odd characters.
    """
    return _checked(
        _GROUP, key, field, "must be names of letters, digits, hyphens and underscores between slashes"
    )


def check_minor(key: str, field: str) -> str:
    """The minor number of a rate class.

    Raises:
        InvalidOptionError: it is none.
    """
    return _checked(_MINOR, key, field, "must be one to four hexadecimal digits")


def check_address(text: str, field: str) -> str:
    """An IPv4 address.

    Raises:
        InvalidOptionError: it is none.
    """
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise InvalidOptionError(field, "must be an IPv4 address", value=text) from None


def is_mac(text: str) -> bool:
    """Whether this is a MAC address in lower case."""
    return _MAC.fullmatch(text) is not None


def _checked(pattern: re.Pattern[str], text: str, field: str, rule: str) -> str:
    if pattern.fullmatch(text) is None:
        raise InvalidOptionError(field, rule, value=text)
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
