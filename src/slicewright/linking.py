"""Kernels and all they call become one module, which is optimised and translated once.

Left to itself, numba finishes every function it compiles: it links the code of all callees into the function's own
library, optimises all of it, translates it to machine code, and does so again one level up. A function six calls
below the one that Python calls is then optimised six times. Here a library only keeps its own code, each function
tidied up by itself, until somebody asks for the address of a function in it, which happens for entry points alone;
then the code of everything below is linked in, and optimised and translated together. That halves the time of a
first plan. Results are those of numba bit for bit: without ``fastmath`` no optimisation changes a sum's order.

numba also has every index looked at whether it is negative and counts from the end, since Python allows it. Kernels
of the search never do so; without that, loops that it kept from becoming vectors do, and search gains a seventh.

The libraries are numba's, with some of its internal steps put off. Should a future numba lack one of them,
:data:`AVAILABLE` is false and kernels compile as any other function does: slower, to the same results.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import binding, ir
from numba.core import types
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import Compiler
from numba.core.environment import lookup_environment

_STEPS = (
    "_optimize_final_module",
    "_finalize_final_module",
    "_get_module_for_linking",
    "_raise_if_finalized",
    "_unserialize",
    "_set_compiled_object",
    "enable_object_caching",
)
AVAILABLE = hasattr(JITCPUCodegen, "_library_class") and all(hasattr(JITCodeLibrary, step) for step in _STEPS)
"""Whether this numba has the steps that are put off here."""
_ENVIRONMENT = "_ZN08NumbaEnv"
"""Begins the names of the variables through which compiled code finds its Python constants."""
_FROM_THE_FRONT = "_ZN11slicewright7slicing8_kernels"
"""Begins the names of the functions in which no computed index is negative: ``slicewright.slicing._kernels``."""
_ENTRY = "entry"
"""Besides numba's own two, a form that a library is kept in: machine code and the names in it, nothing to be linked."""


class LinkedLibrary(JITCodeLibrary):
    """The code of one function, linked with that of its callees when the first address in it is asked for."""

    _translated = False
    _whole: Any = None

    @property
    def codegen(self) -> Any:
        """numba's code generator; before there is machine code, this library, which knows what may not be done yet."""
        return self._codegen if self._translated else self

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        """A library from what :func:`as_entry` made, or from a form of numba's own."""
        name, kind, data = state
        if kind != _ENTRY:
            return super()._unserialize(codegen, state)
        code, names = data
        library = codegen.create_library(name)
        library.enable_object_caching()
        library._set_compiled_object(code)
        library._finalize_final_module()
        codegen._engine._defined_symbols |= names
        return library

    def set_env(self, name: str, environment: Any) -> None:
        """Nothing yet: environments are set once the variables that point to them have addresses."""

    def finalize(self) -> None:
        """Take no more code; what numba does here waits for :meth:`get_pointer_to_function`."""
        self._raise_if_finalized()
        self._finalized = True

    def _finalize_final_module(self) -> None:
        """Load machine code: what was just optimised, or what comes from a cache."""
        self._translated = True
        super()._finalize_final_module()

    def get_pointer_to_function(self, name: str) -> int:
        """Address of a function, 0 if it is not one of this library; links, optimises and translates when first asked.

        numba asks for the wrapper through which Python calls a function, which only entry points have.
        """
        self._ensure_finalized()
        if not self._translated:
            if not any(function.name == name for function in self.get_defined_functions()):
                return 0
            self._link_callees(self._final_module)
            self._optimize_final_module()
            self._final_module.verify()
            self._finalize_final_module()
            self._set_environments()
        return int(super().get_pointer_to_function(name))

    def _callees(self) -> list[Any]:
        """All libraries that this one calls, directly or not; those of numba's own kind contain what they call."""
        found: dict[Any, None] = {}
        waiting = list(self._linking_libraries)
        while waiting:
            library = waiting.pop(0)
            if library not in found:
                found[library] = None
                if isinstance(library, LinkedLibrary) and not library._translated:
                    waiting.extend(library._linking_libraries)
        return list(found)

    def _link_callees(self, module: Any) -> None:
        for library in self._callees():
            self._reload_init.update(library._reload_init)
            own = (
                library._own_module()
                if isinstance(library, LinkedLibrary)
                else library._get_module_for_linking()
            )
            module.link_in(own, preserve=True)

    def _own_module(self) -> Any:
        """This library's code alone (with that of its callees, once translated) in a form that may be linked often."""
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        """The same with everything below it, for libraries of numba's own kind."""
        if self._translated:
            return self._own_module()
        if self._whole is None:
            self._whole = self._own_module().clone()
            self._link_callees(self._whole)
        return self._whole

    def _set_environments(self) -> None:
        codegen: Any = self._codegen
        for variable in self._final_module.global_variables:
            if variable.name.startswith(_ENVIRONMENT):
                environment = lookup_environment(variable.name)
                if environment is not None:
                    codegen.set_env(variable.name, environment)


def as_entry(serialized: Any) -> Any:
    """A library as a cache keeps it, without the code that others would link: nobody links what only Python calls.

    numba keeps both, and translates none but reads all of it whenever the library is loaded.
    """
    name, kind, data = serialized
    if kind != "object":
        return serialized
    code, linkable = data
    module = binding.parse_bitcode(linkable)
    values = (*module.functions, *module.global_variables)
    return name, _ENTRY, (code, frozenset(value.name for value in values if not value.is_declaration))


@contextmanager
def linked(codegen: Any) -> Iterator[None]:
    """Whatever is compiled or loaded meanwhile is a :class:`LinkedLibrary`; whoever does holds numba's lock."""
    before, codegen._library_class = codegen._library_class, LinkedLibrary
    try:
        yield
    finally:
        codegen._library_class = before


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A compiler makes millions of small objects and keeps them; looking through them takes a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _indices_from_the_front() -> Iterator[None]:
    """Functions below :data:`_FROM_THE_FRONT` take an index as it is, unless it is a constant.

    By name, since numba's own functions that are compiled meanwhile serve anybody. Should a future numba look at
    indices elsewhere, it goes on doing so.
    """
    from numba.np import arrayobj  # not before there is something to compile: the import takes long

    before: Any = getattr(arrayobj, "fix_integer_index", None)
    if before is None:
        yield
        return

    def as_it_is(context: Any, builder: Any, index_type: Any, index: Any, size: Any) -> Any:
        if isinstance(index, ir.Constant) or not builder.function.name.startswith(_FROM_THE_FRONT):
            return before(context, builder, index_type, index, size)
        return context.cast(builder, index, index_type, types.intp if index_type.signed else types.uintp)

    patched: Any = arrayobj
    patched.fix_integer_index = as_it_is
    try:
        yield
    finally:
        patched.fix_integer_index = before


class EntryCompiler(Compiler):
    """Compiles what Python calls, and whatever that calls, as one module.

    An entry point is told apart from a callee only now, so that both have the same flags otherwise: numba compiles
    its own functions (``max``, ``np.zeros``) once for each set of flags.
    """

    def compile_extra(self, function: Any) -> Any:
        """Compile a Python function for the types of a call."""
        with linked(self.state.targetctx.codegen()), _no_garbage_collection(), _indices_from_the_front():
            return super().compile_extra(function)

    def define_pipelines(self) -> Any:
        """numba's passes; this function can be called from Python."""
        self.state.flags.no_cpython_wrapper = False
        return super().define_pipelines()
