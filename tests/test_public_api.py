"""The public names are complete, documented and cheap to import."""

import inspect
import resource
import subprocess
import sys

import pytest

import slicewright as sw


def test_all_is_complete_and_resolves() -> None:
    assert set(sw.__all__) == {*sw._MODULE_OF, "__version__"}
    for name in sw.__all__:
        assert getattr(sw, name) is not None
    assert set(sw.__all__) <= set(dir(sw))


@pytest.mark.parametrize("name", [n for n in sw.__all__ if n != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(sw, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_unknown_names_raise_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'plna'"):
        _ = sw.plna


def test_importing_is_cheap_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, slicewright; "
        "heavy = {'numba', 'scipy', 'torch', 'matplotlib', 'networkx', 'pyscipopt', 'highspy', 'rich'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.timing
def test_help_answers_in_half_a_second() -> None:
    """Of a processor to itself: what it has to share with others is not its fault."""
    times = []
    for _ in range(3):
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "slicewright", "--help"], check=True, capture_output=True)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)
    assert min(times) < 0.5


def test_policies_answers_whatever_was_imported_before() -> None:
    """The package of that name is bound to its parent when it is imported, and answers the same call."""
    for first in ("", "import slicewright.policies.slicing.registry", "sw.plan"):
        code = f"import slicewright as sw\n{first}\nassert 'auto' in sw.policies()"
        subprocess.run([sys.executable, "-c", code], check=True)
