"""The command line as a page: what every ``--help`` says."""

from __future__ import annotations

from typing import Any

from slicewright.cli.examples import EXAMPLES
from slicewright.cli.main import COMMANDS, command
from slicewright.cli.old_names import OLD_NAMES


def page() -> str:
    """All commands with their options."""
    lines = [
        "# Command line",
        "",
        "What `--help` of every command says. Exit codes: 0 done, 1 judged and failed,",
    ]
    lines += ["2 bad input, 130 interrupted.", ""]
    lines += [
        "`slicewright --install-completion` teaches the shell that you are in the names of commands and options, and",
        "what they are for where it can show that: bash, zsh, fish, PowerShell. `--show-completion` prints what it",
        "would add. Then `slicewright scenario import to` and the tabulator are enough for `topohub`.",
        "",
    ]
    for name in COMMANDS:
        lines += _told(command(name), f"slicewright {name}", 2)
    lines += [
        "## Old names",
        "",
        "Options that are called otherwise today; what they were called is still taken.",
        "",
    ]
    lines += ["| command | option | was called |", "|---|---|---|"]
    for name, known in OLD_NAMES.items():
        lines += [f"| `slicewright {name}` | `--{new}` | `--{old}` |" for old, new in known.items()]
    lines += ["| `slicewright plan` | `--show` | `--devices` |", ""]
    return "\n".join(lines)


def _told(found: Any, path: str, level: int) -> list[str]:
    lines = [
        "#" * level + f" `{path}`",
        "",
        (found.help or COMMANDS[path.split()[-1]].line).replace("\b\n", ""),
        "",
    ]
    examples = EXAMPLES.get(path.removeprefix("slicewright "), ())
    if examples:
        lines += ["```bash", *examples, "```", ""]
    arguments = [p for p in found.params if p.param_type_name == "argument"]
    options = [p for p in found.params if p not in arguments and p.name != "help" and not p.hidden]
    usage = [path, *(_placeholder(argument) for argument in arguments), "[OPTIONS]" if options else ""]
    if not hasattr(found, "commands"):
        lines += ["```text", " ".join(filter(None, usage)), "```", ""]
    rows = [(f"`{_placeholder(p)}`", p) for p in arguments]
    rows += [(_names(p), p) for p in options]
    if rows:
        lines += ["| option | default | |", "|---|---|---|"]
        lines += [
            f"| {shown} | {_default(p)} | {_cell(getattr(p, 'help', None) or '')} |" for shown, p in rows
        ]
        lines.append("")
    for child in getattr(found, "commands", {}).values():
        if child.hidden:
            continue
        lines += _told(child, f"{path} {child.name}", level + 1)
    return lines


def _names(option: Any) -> str:
    """An option's names, with what its value is measured in or looks like, where that is said."""
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return f"{names} `{option.metavar}`" if option.metavar else names


def _placeholder(parameter: Any) -> str:
    name = parameter.metavar or (parameter.name or "").upper()
    name += "..." if parameter.nargs == -1 and not name.endswith("...") else ""
    return name if parameter.required else f"[{name}]"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "needed"
    value = parameter.default
    if value is None or value is False or callable(value) or value in ((), [], ""):
        return ""
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
