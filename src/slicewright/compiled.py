"""What compiled kernels share: how they are compiled, a clock they can read, random numbers of their own.

Kernels are plain functions compiled by numba on first use and cached on disk, so a machine compiles them once.
They release the interpreter lock, so threads plan scenarios in parallel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from slicewright import linking
from slicewright.kernel_cache import KernelCache, cache_folder, has_ready_kernels, warn_of_no_cache

logger = logging.getLogger(__name__)
COMPILATION_SECONDS = {"slicing": 50, "slicing.exact": 120, "slicing.city": 60, "placement": 65}
"""About how long the first use of a package takes, s of a processor; 15 where nothing else is said."""
Kernel = Callable[..., Any]
"""Kernels are typed by numba, from the arguments of their first call."""


def _compiled(function: Kernel, **options: bool) -> Kernel:
    """Compile lazily, with a disk cache of our own.

    Two kernels in fact: one for calls from Python, cached, and one for calls from other kernels, which becomes part
    of the module of whatever Python called.
    """
    package = function.__module__.removeprefix("slicewright.").partition("._kernels")[0]
    compiled: Any = numba.njit  # its stubs do not list the private option that turns reference counting off
    every = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, **options}
    settings: Any = numba.config
    if settings.DISABLE_JIT:
        return function
    if not linking.AVAILABLE:
        entry = compiled(**every)(function)
        entry._cache = KernelCache(function, package)
        return cast(Kernel, entry)
    every["no_cpython_wrapper"] = True  # EntryCompiler makes one
    entry = compiled(pipeline_class=linking.EntryCompiler, **every)(function)
    entry._cache = KernelCache(function, package)

    @cache
    def inner() -> Any:
        """Made when a kernel that calls it is compiled, as hardly any process has to."""
        made = compiled(**every)(function)
        # numba asks the entry's whether a call is recursive
        made._compiling_counter = entry._compiling_counter
        return made

    entry.get_call_template = lambda args, named: inner().get_call_template(args, named)
    entry.get_overload = lambda signature: inner().get_overload(signature)
    return cast(Kernel, entry)


def kernel(function: Kernel) -> Kernel:
    """Compile with numba: cached on disk, without the interpreter lock, divisions as in IEEE 754."""
    return _compiled(function)


def inlined(function: Kernel) -> Kernel:
    """A small kernel, copied into the kernels that call it.

    It cannot allocate arrays, and in return counts no references to them. Both matter: handing over a dozen arrays
    and counting their references (atomically) costs more than the arithmetic of most moves.
    """
    return _compiled(function, _nrt=False, forceinline=True)


def outlined(function: Kernel) -> Kernel:
    """Like :func:`inlined` for what is called rarely or is long: stays a function of its own."""
    return _compiled(function, _nrt=False)


@cache
def announce_compilation(package: str) -> bool:
    """Say once per machine that the first call takes longer; silent when compiled kernels are already there.

    Returns:
        Whether it was said just now.
    """
    stamp = cache_folder(package) / "announced"
    if stamp.exists() or has_ready_kernels(package):
        return False
    seconds = COMPILATION_SECONDS.get(package, 15)
    logger.warning("compiling the %s kernels: once per machine, about %d seconds", package, seconds)
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    except OSError:
        warn_of_no_cache(cache_folder(package))
    return True


def _clock_gettime_ns(typing_context):
    """The operating system's monotonic clock in ns, the one behind ``time.perf_counter_ns``."""
    signature = types.int64()

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        int32, int64 = ir.IntType(32), ir.IntType(64)
        timespec = ir.LiteralStructType([int64, int64])
        declared = ir.FunctionType(int32, [int32, timespec.as_pointer()])
        function = cgutils.get_or_insert_function(builder.module, declared, "clock_gettime")
        spec = cgutils.alloca_once(builder, timespec)
        builder.call(function, [ir.Constant(int32, time.CLOCK_MONOTONIC), spec])
        seconds = builder.load(cgutils.gep_inbounds(builder, spec, 0, 0))
        nanoseconds = builder.load(cgutils.gep_inbounds(builder, spec, 0, 1))
        return builder.add(builder.mul(seconds, ir.Constant(int64, 1_000_000_000)), nanoseconds)

    return signature, codegen


_clock: Any = intrinsic(_clock_gettime_ns)


@kernel
def now_ns():
    """Monotonic time in ns, comparable with ``time.perf_counter_ns()``."""
    return _clock()


@kernel
def next_random(state):
    """One step of splitmix64 (Steele, Lea, Flood 2014); ``state`` is one uint64 and moves on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def random_below(state, bound):
    """A whole number in ``0..bound-1``; the bias of the modulus is below 1e-12 for any bound used here."""
    return np.int64(next_random(state) % np.uint64(bound))


@kernel
def random_unit(state):
    """A number in [0, 1) with 53 random bits."""
    return np.float64(next_random(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def shuffle(state, items):
    """Fisher-Yates in place."""
    for k in range(len(items) - 1, 0, -1):
        other = random_below(state, k + 1)
        items[k], items[other] = items[other], items[k]
