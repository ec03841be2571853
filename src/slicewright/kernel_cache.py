"""Compiled kernels on disk: where, under which key, and what happens when the disk does not take them.

A wheel may bring kernels that were compiled for a common level of processor (:data:`READY`); whatever is missing
there is compiled on this machine and kept in the user's cache. numba's own cache is not used, for four reasons: it
notices changes in a kernel's file, but not in the kernels that it calls; two processes that compile different
signatures of one kernel at once may take each other's code; a damaged file ends the program; and where the cache
cannot be written, an import fails.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import platform
import sys
import uuid
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import binding
from numba.core.caching import FunctionCache
from numba.core.compiler import CompileResult
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from slicewright import linking
from slicewright.version import __version__

logger = logging.getLogger(__name__)
READY = Path(__file__).parent / "ready_kernels"
"""Kernels that came with the package: a wheel's. A checkout has none."""
READY_PROCESSOR = "x86-64-v3"
"""What they are compiled for: processors of servers since 2013 (Haswell) and 2015 (Excavator)."""
_LEVEL = """avx avx2 bmi bmi2 cmov cx16 cx8 f16c fma fxsr lzcnt mmx movbe popcnt sahf
sse sse2 sse3 sse4.1 sse4.2 ssse3 xsave"""
_NEEDED = tuple(_LEVEL.split())
READY_FEATURES = ",".join(f"+{feature}" for feature in _NEEDED)
CALLED_BESIDE = {"slicing.city": ("slicing.exact",)}
"""Packages whose kernels those of another call, beside the ones it is part of: a city's nodes look for whole sets."""
_DIGEST_BYTES = hashlib.sha256().digest_size


@cache
def cache_name(package: str) -> str:
    """The name of a folder for the compiled kernels of one package (slicing, slicing.exact, placement).

    Made from all that compiled code depends on, but for the processor, which is part of each file's name: the kernel
    sources of the package, of those it is part of and of those it calls beside them (no others may be called), the
    compiler's versions and settings, Python.
    """
    folder = Path(__file__).parent
    sources = [folder / "compiled.py", Path(__file__), Path(linking.__file__)]
    for name in package.split("."):
        folder /= name
        sources += sorted((folder / "_kernels").rglob("*.py"))
    for name in CALLED_BESIDE.get(package, ()):
        beside = Path(__file__).parent.joinpath(*name.split("."), "_kernels")
        sources += sorted(beside.rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    settings: Any = numba.config
    digest.update(
        repr(
            (
                __version__,
                numba.__version__,
                llvmlite.__version__,
                np.__version__.partition(".")[0],
                sys.implementation.cache_tag,
                getattr(sys, "abiflags", ""),
                platform.machine(),
                linking.AVAILABLE,
                settings.OPT,
                settings.BOUNDSCHECK,
                settings.DEBUGINFO_DEFAULT,
            )
        ).encode()
    )
    return f"{package}-{digest.hexdigest()[:16]}"


@cache
def cache_folder(package: str) -> Path:
    """Where this machine keeps the compiled kernels of one package."""
    base = os.environ.get("SLICEWRIGHT_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if not base:
        try:
            base = str(Path.home() / ".cache")
        except RuntimeError:  # no home: nothing can be written here, which is dealt with where it is tried
            base = os.devnull
    return Path(base) / "slicewright" / cache_name(package)


@cache
def warn_of_no_cache(folder: Path) -> None:
    """Say, once a process, that compiled kernels cannot be kept."""
    logger.warning("%s cannot be written, so kernels are compiled in every process", folder)


@cache
def ready_kernels_suit() -> bool:
    """Whether this processor can run what the package brings, and no other code was asked for."""
    settings: Any = numba.config
    if settings.CPU_NAME is not None or settings.CPU_FEATURES is not None or not READY.is_dir():
        return False
    features = binding.get_host_cpu_features()
    return all(features.get(feature, False) for feature in _NEEDED)


def has_ready_kernels(package: str) -> bool:
    """Whether the package brings this machine's kernels, compiled from these very sources."""
    return ready_kernels_suit() and (READY / cache_name(package)).is_dir()


class KernelCache(FunctionCache):
    """The compiled forms of one kernel, one file for each signature and processor.

    A file holds the digest of all that follows, then the key it was saved under, then the code. One that is damaged
    or belongs to another key counts as missing, and is replaced.
    """

    def __init__(self, function: Any, package: str) -> None:
        self._py_func = function
        module = function.__module__.rpartition("_kernels.")[2]  # two rooms may have a file of one name
        self._base = f"{module}.{function.__qualname__}".replace("<locals>", "local")
        self._package = package
        self._folder = cache_folder(package)
        self.enable()

    @property
    def cache_path(self) -> str:
        """The folder, for numba's reports."""
        return str(self._folder)

    def flush(self) -> None:
        """Forget every compiled form in this machine's cache."""
        for path in self._folder.glob(f"{self._base}-*.nbc"):
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code for the types of a call; None if there is none."""
        if not self._enabled:
            return None
        # All that code needs to run; what compilers need is slow to get ready.
        rtsys.initialize(target_context)
        key = self._index_key(sig, target_context.codegen())
        reduced = self._read(self._folder, key)
        if reduced is None and has_ready_kernels(self._package):
            signature, (triple, *_), code = key
            reduced = self._read(
                READY / cache_name(self._package),
                (signature, (triple, READY_PROCESSOR, READY_FEATURES), code),
            )
        if reduced is None:
            return None
        with linking.linked(target_context.codegen()) if linking.AVAILABLE else nullcontext():
            return CompileResult._rebuild(target_context, *reduced)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code; a disk that does not take it costs one warning and the time to compile it again."""
        if (
            not self._enabled
            or data.library.has_dynamic_globals
            or any(not part.can_cache for part in data.lifted)
        ):
            return
        key = self._index_key(sig, data.codegen)
        library, *described = data._reduce()
        if linking.AVAILABLE:  # then kernels are called by others in another form (compiled.py)
            library = linking.as_entry(library)
        try:
            self._write(key, dumps((key, (library, *described))))
        except OSError:
            warn_of_no_cache(self._folder)

    def _file(self, key: Any) -> str:
        """Signatures print their types in full. Should two print alike, the keys inside the files tell them apart."""
        return f"{self._base}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.nbc"

    def _read(self, folder: Path, key: Any) -> Any:
        try:
            content = (folder / self._file(key)).read_bytes()
        except OSError:
            return None
        digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        found, reduced = pickle.loads(content)
        return reduced if found == key else None

    def _write(self, key: Any, content: bytes) -> None:
        """Whole or not at all: other processes may read, or write the same, at this moment."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / self._file(key)
        unfinished = path.with_name(f"{uuid.uuid4().hex}.tmp")
        try:
            unfinished.write_bytes(hashlib.sha256(content).digest() + content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
