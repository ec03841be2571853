"""Tables read row by row: as spreadsheets and other programs save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slicewright.errors import InvalidOptionError
from slicewright.files.rows import CsvRows

TABLE = "time_s,name\n0.5,Zürich\n1.5,b\n"


def read(file: Path) -> list[tuple[float, str]]:
    rows = CsvRows(file, InvalidOptionError, field="trace")
    return [(rows.number(row, "time_s"), row["name"]) for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_separators_and_ends_of_lines(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    text = TABLE.replace(",", separator)
    text = text.replace("0.5", "0,5") if separator != "," else text
    (tmp_path / "t.csv").write_bytes(text.replace("\n", end).encode(encoding))
    assert read(tmp_path / "t.csv") == [(0.5, "Zürich"), (1.5, "b")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (TABLE.encode("latin-1"), "is no text in UTF-8 after line 0; save it as UTF-8"),
        (b"time_s,name\n" + b"1,a\n" * 3000 + b"2,\xe9\n", "is no text in UTF-8 after line"),
        (b"PK\x03\x04" + bytes(60), "is .*, not a text file"),
        (b"time_s,name\n1,2,3\n", r"trace\[2\]: has 3 cells, and the header 2"),
    ],
)
def test_what_is_no_table_is_said_with_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InvalidOptionError, match=told):
        read(tmp_path / "t.csv")


def test_numbers_are_what_they_look_like(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("time_s,name\n1_44.96,a\n")
    with pytest.raises(ValueError, match="1_44"):
        read(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("")
    assert read(tmp_path / "t.csv") == []


def test_more_rows_than_memory_holds_are_refused_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    monkeypatch.setattr("slicewright.files.rows.MOST_ROWS", 2)
    assert len(read(tmp_path / "t.csv")) == 2
    monkeypatch.setattr("slicewright.files.rows.MOST_ROWS", 1)
    with pytest.raises(InvalidOptionError, match=r"trace\[3\]: is one row more .* take a part of them"):
        read(tmp_path / "t.csv")
