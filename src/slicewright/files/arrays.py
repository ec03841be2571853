"""Files of NumPy arrays (``.npz``), whatever a disk made of them."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from slicewright.errors import InvalidInputError

DAMAGE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, TypeError, AttributeError, MemoryError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise about a file that is not whole: a turned bit may claim a password or terabytes."""


def read_arrays(
    path: str | Path, error: type[InvalidInputError], *, what: str
) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of a file, by name.

    Args:
        path: the file.
        error: raised about one that is none.
        what: what it should be, for the message: ``a saved simulation``.

    Raises:
        FileNotFoundError: no such file.
        InvalidInputError: of the given type: the file cannot be read, or holds objects instead of numbers.
    """
    try:
        with warnings.catch_warnings(), Path(path).open("rb") as stream:
            warnings.simplefilter("ignore")  # a turned bit of a header may look like one of Python 2
            with np.load(stream, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except DAMAGE as broken:
        told = str(broken) or type(broken).__name__
        raise error(str(path), f"is not {what} that can be read: {told}") from None
