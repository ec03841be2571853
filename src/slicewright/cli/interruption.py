"""Ctrl-C at any time: what is open is closed, one sentence is said, and the process ends with 130.

Long measurements end early instead, and show what they have (:class:`EndingEarly`).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

INTERRUPTED = 130
AGAIN_S = 0.02


class Interruption:
    """While a command runs, an interrupt unwinds it; a second one does not wait for that.

    Threads that compile or solve cannot be stopped, and crash if the interpreter is taken down beneath them: an
    interrupted process therefore ends at once when everything that the command opened has been closed.

    An interrupt that comes while C code calls back into Python, as compilers do, or within a finaliser cannot unwind
    anything from there, and Python would print and forget it: it is raised again a moment later.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._hook = sys.unraisablehook
        self._asked = False
        self._began = time.time()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)
            self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._asked:  # whatever it became on its way through compilers and solvers
            self.end()
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._hook

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            os._exit(INTERRUPTED)
        self._asked = True
        raise KeyboardInterrupt

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not (self._asked and unraisable.exc_type is KeyboardInterrupt):
            self._hook(unraisable)
            return
        self._asked = False
        again = threading.Timer(AGAIN_S, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()

    def end(self) -> NoReturn:
        """Say it and end the process."""
        _forget_announcements(self._began)
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is sys.stderr:
                    stream.write("slicewright: interrupted; files that were finished are whole\n")
                stream.flush()
            except (OSError, ValueError):  # nobody reads any more
                continue
        os._exit(INTERRUPTED)


class EndingEarly:
    """While a measurement runs, an interrupt asks it to end with what it has; a second one does not wait for that.

    Attributes:
        asked: whether to end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def _forget_announcements(since: float) -> None:
    """What was said to compile once per machine did not get there: the next command has to say it again.

    Args:
        since: s since 1970, when this command began.
    """
    cache = sys.modules.get("slicewright.kernel_cache")
    if cache is None:  # no kernel was asked for
        return
    with suppress(OSError):
        for stamp in cache.cache_folder("slicing").parent.glob("*/announced"):
            if stamp.stat().st_mtime >= since:
                stamp.unlink(missing_ok=True)
