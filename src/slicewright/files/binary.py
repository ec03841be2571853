"""What a file that is no text is, by its first bytes."""

from __future__ import annotations

_STARTS = {
    b"\x89PNG\r\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"%PDF": "a PDF",
    b"%!PS": "PostScript",
    b"PK\x03\x04": "a ZIP archive, as spreadsheets and office documents are",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x1f\x8b": "compressed with gzip",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF\r\n": "HDF5",
    b"\x93NUMPY": "an array of NumPy",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\x80\x03": "a pickle of Python",
    b"\x80\x04": "a pickle of Python",
    b"\x80\x05": "a pickle of Python",
    b"OggS": "sound",
    b"RIFF": "sound or video",
}
_PACKED = ("ZIP", "gzip", "bzip2", "xz", "Zstandard", "7z", "RAR")
_TAR_MARK, _TAR_PLACE = b"ustar", 257


def what_it_is(data: bytes) -> str:
    """``a PNG picture`` and the like; empty for text and for what is not known."""
    if data[_TAR_PLACE : _TAR_PLACE + len(_TAR_MARK)] == _TAR_MARK:
        return "a tar archive"
    return next((called for start, called in _STARTS.items() if data.startswith(start)), "")


def what_to_do(called: str) -> str:
    """Advice about a file of this kind."""
    if any(word in called for word in (*_PACKED, "archive")):
        return "unpack it"
    if called in ("Parquet", "Arrow"):
        return "use slicewright scenario import trace for workloads, or save it as CSV"
    if called == "an SQLite database":
        return "export it as CSV"
    return "export the data from its tool as text"
