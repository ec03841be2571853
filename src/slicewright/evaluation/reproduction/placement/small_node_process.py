"""A process that is a small node: one core, little memory, numpy and onnxruntime, one model. Imports nothing of ours.

Run as a file: folder of inputs (``0.npz``, ...), MiB that may be allocated, answers per input, and the model, if any.
Writes ``answer.json`` into the folder: the most memory held, MiB, and the median s of an answer, by input.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

MIB = 2**20


def main(folder: Path, memory_mb: int, answers: int, model: str | None) -> None:
    """Answer every input so often, and write what that took."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * MIB, memory_mb * MIB))
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    found: dict[str, Any] = {"seconds": []}
    if model is not None:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        for file in sorted(folder.glob("*.npz")):
            with np.load(file) as stored:
                feed = {name: stored[name] for name in stored.files}
            found["seconds"].append(statistics.median(_seconds(session, feed) for _ in range(answers)))
    found["peak_mb"] = _peak_bytes() / MIB
    (folder / "answer.json").write_text(json.dumps(found), encoding="utf-8")


def _peak_bytes() -> int:
    """The most memory that this process held. Linux's own count of it begins anew with a programme; that of the
    resources it used begins with the process that started it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _seconds(session: Any, feed: dict[str, Any]) -> float:
    began = time.process_time()
    session.run(None, feed)
    return time.process_time() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
