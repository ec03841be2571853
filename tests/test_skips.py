"""A skip that hides what is missing fails a whole run; one that no installation could mend does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.shared import ROOT
from tests.skips import WHOLE, may_be_skipped

FILES = {
    "test_kernel.py": """
        import pytest
        def test(): pytest.skip("this machine lacks sch_htb, cls_u32")
        """,
    "test_hidden.py": """
        import pytest
        @pytest.mark.skipif(True, reason="not today")
        def test(): pass
        """,
    "test_file.py": """
        import pytest
        pytest.importorskip("no_such_package")
        def test(): pass
        """,
}


@pytest.mark.parametrize("processes", [[], ["-p", "xdist.plugin", "-n", "1"]])
def test_whole_runs_fail_where_something_is_hidden(tmp_path: Path, processes: list[str]) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.skips import pytest_make_collect_report, pytest_runtest_makereport\n"
    )
    for name, text in FILES.items():
        (tmp_path / name).write_text(dedent(text))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(names: Iterable[str], whole: str) -> int:
        environment = {
            **os.environ, WHOLE: whole, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # importing all that is installed takes longer than the rest
        }  # fmt: skip
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes, *names]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=False
        ).returncode

    assert run(FILES, "") == 0
    assert run(["test_kernel.py"], "1") == 0
    assert all(run([name], "1") not in (0, 5) for name in ("test_hidden.py", "test_file.py"))


def test_programs_may_be_missing_where_nobody_may_install_them() -> None:
    for reason in ("chromium is not installed", "this machine lacks sch_htb, the program iperf3"):
        assert may_be_skipped(reason, packages=lambda: False)
        assert not may_be_skipped(reason, packages=lambda: True)
    for reason in ("not asked: the time is over", "could not import 'torch': No module named 'torch'", ""):
        assert not may_be_skipped(reason, packages=lambda: False)
