"""Files of arrays: read as they were written, or refused in one sentence whatever bit was turned."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest

from slicewright.errors import InvalidOptionError
from slicewright.files.arrays import read_arrays

WHAT = "a saved thing"


def read(file: Path) -> dict[str, np.ndarray]:
    return read_arrays(file, InvalidOptionError, what=WHAT)


def saved(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]  # one might be called allow_pickle
    return stream.getvalue()


def test_arrays_come_back(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(saved(a=np.arange(3), b=np.array("text")))
    found = read(tmp_path / "a.npz")
    assert found["a"].tolist() == [0, 1, 2] and str(found["b"]) == "text"
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "b.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}", b"\x80\x04N.", saved(a=np.array([{}]))])
def test_what_is_no_file_of_numbers_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InvalidOptionError, match=f"is not {WHAT} that can be read"):
        read(tmp_path / "a.npz")


def test_every_turned_bit_is_told_or_does_not_count(tmp_path: Path) -> None:
    sound, rng = saved(a=np.arange(3), b=np.ones(2)), random.Random(1)
    refused = 0
    for _ in range(600):
        data = bytearray(sound)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        (tmp_path / "a.npz").write_bytes(bytes(data))
        try:
            read(tmp_path / "a.npz")
        except InvalidOptionError as told:
            assert "\n" not in str(told)
            refused += 1
    assert refused > 300
