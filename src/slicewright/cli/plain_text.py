"""Standard streams of any encoding: what they cannot write becomes its nearest plain letters, never an error."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

ERRORS = "slicewright.plain"
_PLAIN = {
    "…": "...", "→": "->", "←": "<-", "↔": "<->", "×": "x", "·": "-", "•": "*", "µ": "u", "μ": "u", "–": "-", "—": "-",
    "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "≤": "<=", "≥": ">=", "≈": "~", "±": "+-", "°": " deg", "²": "2",
    "√": "ok", "✓": "ok", "✗": "x", "∞": "inf", "Δ": "delta", "σ": "sigma", "ω": "omega", "φ": "phi", "τ": "tau",
    "\N{NO-BREAK SPACE}": " ", "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip
_LINES = {"─": "-", "━": "-", "│": "|", "┃": "|"}


def speak_plainly_where_needed() -> None:
    """Let standard output and errors write what their encoding lacks in plain letters."""
    codecs.register_error(ERRORS, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":  # a byte of a name of a file or an argument, as it came
        return bytes([ord(letter) - 0xDC00]), error.start + 1
    return _letters(letter), error.start + 1


def _letters(letter: str) -> str:
    """Plain letters for one that cannot be written; its number where nothing else is like it."""
    if letter in _PLAIN:
        return _PLAIN[letter]
    number = ord(letter)
    if 0x2500 <= number < 0x2580:  # lines of boxes
        return _LINES.get(letter, "+")
    if 0x2580 <= number < 0x2600 or 0x2800 <= number < 0x2900:  # bars and what turns while one waits
        return "*"
    without_marks = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return without_marks or letter.encode("ascii", "backslashreplace").decode()
