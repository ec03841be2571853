"""What YAML and JSON would lose or turn into something else is refused with file and line."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest
import yaml

from slicewright.errors import InvalidOptionError, InvalidScenarioError
from slicewright.files.documents import read_document, write_document
from slicewright.files.strict_json import without_trailing_commas
from slicewright.files.text import LARGEST_ENVIRONMENT, read_text


def read(folder: Path, text: str | bytes, name: str = "s.yaml") -> object:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(folder / name, InvalidScenarioError)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n- NO", "line 2: NO is a word to some readers and true or false to others; quote it"),
        ("a: on", "line 1: on is a word"),
        ("a: 0123", "line 1: 0123 is octal to some readers, decimal to others and may be a name; quote it"),
        ("a: [1,\n 12:30:45]", "line 2: 12:30:45 is text to some readers and another number to others; quote it"),
        ("a: 1:30.5", "line 1: 1:30.5 is a time to people and a number in base 60 to some readers; quote it"),
        ("a: 1\nb: 2\na: 3", "has the key 'a' twice, in lines 1 and 3; keep one"),
        ("a:\n  b: 1\n  'b': 2", "has the key 'b' twice, in lines 2 and 3; keep one"),
        ("1: 2\n'1': 3", "has the key '1' twice, in lines 1 and 2; keep one"),
        ("a: &a [*a]", "line 1: an alias stands for something that it is a part of; write it out"),
        ("? [1, 2]\n: 3", "line 1: a key must be a word"),
        ("a: {<<: {b: 1, b: 2}}", "has the key 'b' twice, in lines 1 and 1; keep one"),
        ("a:\n  <<: [{c: 1},\n    {b: 1,\n     b: 2}]", "has the key 'b' twice, in lines 3 and 4; keep one"),
        ("a:\n  <<: {b: 1}\n  <<: {b: 2}", "has the key '<<' twice, in lines 2 and 3; keep one"),
        ("a: {<<: 3}", "line 1: << merges mappings, and this is none; quote << if it is a name"),
        ("a: [<<, b]", "line 1: << is text to some readers and merges mappings for others; quote it"),
        ("a: !!int x", "line 1: x is text to some readers and another number to others; quote it"),
        ("a: !!timestamp x", "holds a value that does not fit its tag"),
        ("a: " + "[" * 2000, "is not valid YAML at line 1: exceeded maximum nesting depth"),
        ("a: 1" + "0" * 5000, "line 1: holds a number of 5001 digits; write it as 1e9"),
        ("--- {a: 1}\n--- {a: 2}", "is not valid YAML at line 2: but found another document"),
        ("a: '\\ud800'", None),
        ('a: "\\ud800"', "is not valid YAML"),
    ],
)  # fmt: skip
def test_yaml_asks_instead_of_guessing(tmp_path: Path, text: str, told: str | None) -> None:
    if told is None:
        read(tmp_path, text)
        return
    with pytest.raises(InvalidScenarioError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 's.yaml'}: ")
    assert told in str(caught.value) or "invalid" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_yaml_that_needs_no_question_means_what_it_meant(tmp_path: Path) -> None:
    text = "{a: 5e2, b: 1.5e+3, c: ~, d: true, e: 7, f: 0x1F, g: 1_000, on: 2020-01-01, h: .inf, i: {<<: {j: 1}, j: 2}}"
    assert read(tmp_path, text) == {
        "a": "5e2", "b": 1500.0, "c": None, "d": True, "e": 7, "f": 31, "g": 1000, "on": "2020-01-01",
        "h": float("inf"), "i": {"j": 2},
    }  # fmt: skip


def test_of_merged_mappings_the_first_that_has_a_key_counts_and_their_own_more(tmp_path: Path) -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {<<: *x, b: 2, c: 2}\nz: {c: 3, <<: [*x, *y]}\nq: {'<<': 4}"
    assert read(tmp_path, text) == {
        "x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2, "c": 2}, "z": {"a": 1, "b": 1, "c": 3}, "q": {"<<": 4},
    }  # fmt: skip


def test_an_alias_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    with pytest.raises(
        InvalidScenarioError, match=r"line \d+: aliases unfold into more than 10,000,000 values"
    ):
        read(tmp_path, "\n".join(lines))
    assert read(tmp_path, "a: &a [1, 2]\nb: [*a, *a]") == {"a": [1, 2], "b": [[1, 2], [1, 2]]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": {"b": 1,\n "b": 2}}', "has the key 'b' twice, in lines 1 and 2; keep one"),
        ('{"ab": 1,\n\n "\\u0061b": 2}', "has the key 'ab' twice, in lines 1 and 3; keep one"),
        ('{"a": "\\ud800"}', "holds half of a character (\\ud800 to \\udfff) in line 1 or below"),
        ('{"a":\n1' + "0" * 5000 + "}", "holds a number of more than 4,300 digits in line 2"),
        ('{"a": ' + "[" * 100_000, "is nested too deeply to be read"),
        ('{"a": 1,}', "is not valid JSON at line 1"),
    ],
)
def test_json_asks_instead_of_guessing(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        read(tmp_path, text, "s.json")
    assert told in str(caught.value)


def test_characters_of_two_halves_are_whole(tmp_path: Path) -> None:
    assert read(tmp_path, '{"a": "\\ud83d\\ude00"}', "s.json") == {"a": "\N{GRINNING FACE}"}


@pytest.mark.parametrize("name", ["s.json", "s.yaml"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
)
def test_every_unicode_encoding_is_read(tmp_path: Path, name: str, encode: object) -> None:
    assert callable(encode)
    data = encode('{"Ch\N{LATIN SMALL LETTER A WITH CIRCUMFLEX}telet":\n 1}')
    assert read(tmp_path, data, name) == {"Ch\N{LATIN SMALL LETTER A WITH CIRCUMFLEX}telet": 1}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            b"a: 1\nb: Ch\xe2telet\n",
            "must be a text file in UTF-8, but line 2 holds the byte 0xe2; save it as UTF-8",
        ),
        (b"a: 1\n\n\0\n", "must be a text file, but line 3 holds a zero byte"),
        (codecs.BOM_UTF16_LE + "a: 1\n".encode("utf-16-le") + b"\x00\xd8", "is not valid UTF-16 at line 2"),
    ],
)
def test_other_bytes_are_named(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InvalidScenarioError) as caught:
        read(tmp_path, data)
    assert told in str(caught.value)


def test_what_spreadsheets_save_may_be_guessed(tmp_path: Path) -> None:
    for data, encoding, content in (
        (b"Ch\xe2telet \x80", "Windows-1252", "Châtelet €"),
        (b"Ch\xe2telet \x81", "Latin-1", "Châtelet \x81"),
    ):
        (tmp_path / "t").write_bytes(data)
        text = read_text(tmp_path / "t", InvalidScenarioError, most_mb=1, guess=True)
        assert text == (content, encoding, True)


def test_files_too_large_name_the_line_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LARGEST_ENVIRONMENT, "1")
    with pytest.raises(InvalidScenarioError) as caught:
        read(tmp_path, "# a comment of 32 letters, now.\n" * 70_000)
    assert "has 2 MB, and at most 1 MB are read (reached in line 32769); save it as .json" in str(
        caught.value
    )
    monkeypatch.setenv(LARGEST_ENVIRONMENT, "many")
    with pytest.raises(InvalidOptionError, match=LARGEST_ENVIRONMENT):
        read(tmp_path, "a: 1")


def test_text_that_others_take_for_numbers_is_written_with_quotes(tmp_path: Path) -> None:
    words = [
        "1e5",
        "y",
        "N",
        "0o17",
        "0x1F",
        "NO",
        "~",
        "12:30:45",
        "0123",
        "1_0",
        ".5",
        "a: b",
        "plain",
        "2020-01-01",
    ]
    file = write_document({"names": words, "basé": 1.5e300}, tmp_path / "w.yaml")
    assert read_document(file, InvalidScenarioError) == {"names": words, "basé": 1.5e300}
    events = [event for event in yaml.parse(file.read_text()) if isinstance(event, yaml.ScalarEvent)]
    plain = {event.value for event in events if event.style is None}
    assert plain & set(words) == {"plain"} | ({"a: b"} & plain)


def test_trailing_commas_can_be_left_out() -> None:
    text, lines = without_trailing_commas('{"a": [1, 2,\n ], "b": ",]",}')
    assert json.loads(text) == {"a": [1, 2], "b": ",]"}
    assert lines == [1, 2]
