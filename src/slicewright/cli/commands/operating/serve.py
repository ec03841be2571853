"""``slicewright serve``: the control plane, all in one process or one role over NATS.

The settings of :class:`~slicewright.control.serve.settings.ServeSettings` are said once, there: this file has their
flags and what is told about them. Errors name settings; here they get the names of the flags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from inspect import Parameter, Signature
from typing import Any, get_type_hints

import typer

from slicewright.cli.options import duration_s, progress_output, require_extra
from slicewright.control.serve.settings import ServeSettings
from slicewright.control.state.options import ControlOptions
from slicewright.errors import InvalidOptionError, SlicewrightError

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SETTING = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class Flag:
    """How a setting is said on the command line.

    Attributes:
        flags: its spellings; none for the argument.
        help: what is told about it.
        more: of typer: metavar, limits.
        read: from what people write to the setting, where that is not the same; told the text and the flag.
        default: what people would write for the default then.
    """

    flags: tuple[str, ...]
    help: str
    more: Mapping[str, Any] = field(default_factory=dict)
    read: Callable[[str, str], object] | None = None
    default: str | None = None


def size_bytes(text: str, option: str) -> int:
    """Bytes from ``256MB``, ``1GiB`` or a plain number.

    Raises:
        InvalidOptionError: not a size.
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z]*)\s*", text)
    if match is None or match.group(2).upper() not in _UNITS:
        raise InvalidOptionError(option, "must be a size such as 256MB or 1GiB", value=text)
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])


_FILE = {"metavar": "FILE"}
FLAGS: Mapping[str, Flag] = {
    "scenario": Flag(
        (),
        "Scenario file or preset: the network, and its devices as first requests.",
        {"metavar": "SCENARIO"},
    ),
    "host": Flag(("--host",), "Address to listen on; others than this machine need --tokens."),
    "port": Flag(("--port", "-p"), "Port to listen on.", {"min": 0, "max": 65535}),
    "role": Flag(("--role",), "all, sro or slice-manager; roles apart need --nats."),
    "slices": Flag(("--slice",), "Slice to manage, for --role slice-manager; repeatable."),
    "nats": Flag(("--nats",), "NATS server with JetStream, nats:// or tls://.", {"metavar": "URL"}),
    "nats_credentials": Flag(("--nats-credentials",), "User credentials.", _FILE),
    "nats_ca": Flag(("--nats-ca",), "Authority that signed the server.", _FILE),
    "nats_certificate": Flag(("--nats-certificate",), "Own certificate.", _FILE),
    "nats_key": Flag(("--nats-key",), "Key of the own certificate.", _FILE),
    "nats_monitors": Flag(
        ("--nats-monitor",),
        "Monitoring endpoint of a NATS server, by default its port 8222; repeatable.",
        {"metavar": "URL"},
    ),
    "nats_unsynced": Flag(
        ("--nats-unsynced",),
        "Accept a server that acknowledges before it syncs: power failures cost requests.",
    ),
    "nats_prefix": Flag(("--nats-prefix",), "First word of everything on the NATS server."),
    "nats_replicas": Flag(("--nats-replicas",), "Copies that a NATS cluster keeps: 1, 3 or 5."),
    "nats_keep": Flag(
        ("--nats-keep",),
        "Keep so many checkpoints of the journal and what follows on them. By default everything.",
        {"min": 1, "metavar": "CHECKPOINTS"},
    ),
    "instance": Flag(("--instance",), "Name of this process; by default host and pid."),
    "store": Flag(("--store",), "Journal (SQLite). By default in memory: gone when the process ends.", _FILE),
    "store_segment_bytes": Flag(
        ("--store-segment",),
        "Go on in a new journal file at this size, such as 256MB. By default never.",
        {"metavar": "SIZE"},
        size_bytes,
    ),
    "store_keep": Flag(
        ("--store-keep",),
        "Keep so many finished journal files beside the one in use. By default all.",
        {"min": 0, "metavar": "FILES"},
    ),
    "store_archive": Flag(
        ("--store-archive",),
        "Move older journal files here instead of removing them.",
        {"metavar": "FOLDER"},
    ),
    "tokens": Flag(("--tokens",), "Bearer tokens and their scopes.", _FILE),
    "simulate": Flag(
        ("--simulate",),
        "A simulated crowd walks, leaves and comes back, so that the dashboard moves. For trying out.",
    ),
    "city": Flag(
        ("--city",),
        "Follow a city: each request is decided by what it touches, in milliseconds at 100,000 devices.",
    ),
    "method": Flag(("--method", "-m"), "Method that decides."),
    "shares": Flag(("--shares",), "How slice managers share: closed-form, or a model such as deepsets-s."),
    "rounds": Flag(
        ("--rounds",),
        "Rounds of search per decision, fewer beyond 50 devices; repeats bit for bit.",
        {"min": 0},
    ),
    "epoch_s": Flag(("--epoch",), "Time between decisions that nobody waits for.", {}, duration_s, "1s"),
    "deadline_s": Flag(
        ("--deadline",), "Time for one decision before the fallback chain goes on.", {}, duration_s, "250ms"
    ),
    "on_demand": Flag(("--on-demand/--per-epoch",), "Decide when requests arrive, or per epoch."),
}
"""Setting to flag, in the order in which they are listed."""


def serve(**said: Any) -> None:
    """Serve the control plane: HTTP API, decision log and dashboard.

    `slicewright serve paper-slicing` starts everything in one process on http://127.0.0.1:8080.
    """
    require_extra(
        "the control plane", "control", "fastapi", "uvicorn", "httptools", "prometheus_client", "nats"
    )
    from slicewright.control.serve.process import serve_forever

    remarks = progress_output()
    try:
        settings = settings_of(said)
        serve_forever(
            settings,
            say=lambda line: remarks.print(in_flags(line)),
            on_answering=_send_crowd(settings) if settings.simulate else None,
        )
    except SlicewrightError as error:
        raise error_in_flags(error) from error


def _send_crowd(settings: ServeSettings) -> Callable[[str], None] | None:
    """What sends a crowd once it is known where to; settings that do not go together are refused elsewhere."""
    if settings.scenario is None:
        return None
    from slicewright.cli.crowd_client import CrowdClient
    from slicewright.network.scenario_file import load_scenario
    from slicewright.simulation.movement.crowd import Crowd

    scenario = load_scenario(settings.scenario)
    return CrowdClient(scenario, Crowd(scenario)).start


def settings_of(said: Mapping[str, Any]) -> ServeSettings:
    """Settings from what was said on the command line.

    Raises:
        InvalidOptionError: a size or duration that is none; names the flag.
    """
    read = {name: _read(FLAGS[name], value) for name, value in said.items()}
    given = {name: value for name, value in read.items() if value is not None}
    of_options = {f.name for f in fields(ControlOptions)}
    options = ControlOptions(**{name: value for name, value in given.items() if name in of_options})
    return ServeSettings(
        **{name: value for name, value in given.items() if name not in of_options}, options=options
    )


def _read(flag: Flag, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return value if flag.read is None or value is None else flag.read(value, flag.flags[0])


def in_flags(text: str, *, whole: bool = False) -> str:
    """A sentence with the flags of the settings in it, which it names as ```setting```.

    Args:
        text: the sentence.
        whole: say what comes after the flag, too.
    """

    def flag(match: re.Match[str]) -> str:
        known = FLAGS.get(match.group(1))
        if known is None or not known.flags:
            return match.group()
        after = f" {known.more['metavar']}" if whole and "metavar" in known.more else ""
        return known.flags[0] + after

    return _SETTING.sub(flag, text)


def error_in_flags(error: SlicewrightError) -> SlicewrightError:
    """The same error in the words of the command line."""
    if isinstance(error, InvalidOptionError):
        name = in_flags(f"`{error.field}`").strip("`")
        fix = in_flags(error.fix, whole=True)
        return InvalidOptionError(name, in_flags(error.rule), index=error.index, value=error.value, fix=fix)
    text = in_flags(str(error))
    return error if text == str(error) else SlicewrightError(text)


def _signature() -> Signature:
    """What typer reads flags from: a parameter per setting, with the type and default that the setting has."""
    types = get_type_hints(ServeSettings) | get_type_hints(ControlOptions)
    defaults = {f.name: f.default for kind in (ControlOptions, ServeSettings) for f in fields(kind)}
    parameters = []
    for name, flag in FLAGS.items():
        kind, default = types[name], defaults[name]
        if kind == tuple[str, ...]:
            kind, default = list[str], []
        if flag.read is not None:
            kind, default = (str | None, None) if flag.default is None else (str, flag.default)
        make = partial(typer.Option, default, *flag.flags) if flag.flags else partial(typer.Argument, default)
        told = make(help=flag.help, **flag.more)
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=told, annotation=kind))
    return Signature(parameters)


serve.__dict__["__signature__"] = _signature()
serve.__annotations__ = {p.name: p.annotation for p in _signature().parameters.values()}
