"""What becomes of finished journal files: the newest begins with the whole state, older ones are history."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from slicewright.control.journal.sqlite.damage import SQLITE_ERRORS
from slicewright.control.journal.sqlite.segments import segments

logger = logging.getLogger(__name__)


def retire(store: Path, *, keep: int, archive: Path | None) -> None:
    """Move finished files away, or remove them; what cannot be done now is tried again after the next file.

    Args:
        store: the journal. keep: so many finished files stay.
        archive: where older ones go; None removes them.
    """
    finished = segments(store)[:-1]
    for file in finished[: max(0, len(finished) - keep)]:
        try:
            _whole_in_itself(file)
            if archive is None:
                file.unlink()
            else:
                _move(file, archive)
        except (*SQLITE_ERRORS, OSError) as error:
            logger.error("%s stays: %s", file, error)
            return
        logger.info("%s is %s", file, "removed" if archive is None else f"in {archive}")


def _whole_in_itself(file: Path) -> None:
    """Nothing of it is in a file beside it any more."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=DELETE")


def _move(file: Path, archive: Path) -> None:
    """Under its name only when it is there completely: the archive may be on another disk."""
    archive.mkdir(parents=True, exist_ok=True)
    final = archive / file.name
    if final.exists():
        raise FileExistsError(f"{final} is there already")
    draft = final.with_name(f"{final.name}.partial")
    shutil.copyfile(file, draft)
    with draft.open("rb+") as written:
        os.fsync(written.fileno())
    draft.replace(final)
    file.unlink()
