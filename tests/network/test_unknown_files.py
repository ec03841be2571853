"""What is no file of any known format is told by its name, with the list of those that are."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

import slicewright as sw
from slicewright.errors import InvalidScenarioError
from slicewright.network.importers import import_scenario

PROSE = "# Files as people publish them\nSmall inputs: each shaped after a report.\n\n| file | kind |\n|---|---|\n"
KNOWN = "GraphML, GML, SNDlib XML and native, Cytoscape JSON"
UNKNOWN: dict[str, tuple[bytes, str]] = {
    "README.md": (PROSE.encode(), "text that begins with '# Files as people publish them'"),
    "notes.txt": (b"hello\n", "text that begins with 'hello'"),
    "list.md": (b"- a\n- b\n", "holds a list"),
    "script.py": (b"import os\nos.getcwd()\n", "text that begins with 'import os'"),
    "graph.dot": (b"graph G { a -- b; }\n", "text that begins with 'graph G"),
    "a.net": (b'*Vertices 2\n1 "a"\n', "text that begins with '*Vertices 2'"),
    "a.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG picture"),
    "a.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "is a JPEG picture"),
    "a.pdf": (b"%PDF-1.7\n%\xe2\xe3\n", "is a PDF"),
    "a.gml.gz": (gzip.compress(b"graph [ ]"), "is compressed with gzip, which is not read; unpack it"),
    "a.bin": (bytes(range(256)) * 4, "it is binary"),
    "a.exe": (b"\x7fELF\x02\x01\x01\0", "is a program"),
    "a.pkl": (b"\x80\x04\x95\0\0", "is a pickle of Python"),
    "empty.json": (b"", "is empty"),
    "empty": (b"", "is empty"),
    "blank.gml": (b"\n \n", "is empty"),
    "a.json": (b'{"a": 1}', "its keys are 'a'"),
    "n.json": (b"3", "holds a number"),
    "a.html": (b"<html><body>no</body></html>", "is HTML"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_formats_are_told_with_the_known_ones(tmp_path: Path, name: str) -> None:
    content, told = UNKNOWN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidScenarioError) as refused:
        import_scenario(tmp_path / name)
    assert str(refused.value).startswith(f"{name}: ")
    assert told in str(refused.value)
    assert KNOWN in str(refused.value)
    assert "YAML" not in str(refused.value)


def test_tables_that_are_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv", "w") as archive:
        archive.writestr("x", "y")
    for name, content, told in (
        ("a.csv", None, "is a ZIP archive, as spreadsheets"),
        ("empty.csv", b"", "is empty"),
        ("b.csv", b"\xff\xfe\0", "is not valid UTF-16"),
        ("c.csv", b"x,y\n1,2\n", "has no column of arrival times.*by the name of their folder"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidScenarioError, match=told):
            import_scenario(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidScenarioError, match="is a folder without tables of sites"):
        import_scenario(tmp_path / "folder")
    with pytest.raises(FileNotFoundError):
        import_scenario(tmp_path / "nowhere.gml")


def test_a_plan_of_another_tools_file_asks_for_the_import(tmp_path: Path) -> None:
    for name in ("README.md", "a.png", "graph.dot"):
        (tmp_path / name).write_bytes(UNKNOWN[name][0])
        with pytest.raises(InvalidScenarioError, match="import files of other tools first"):
            sw.load_scenario(tmp_path / name)
