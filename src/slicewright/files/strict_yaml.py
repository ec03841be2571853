"""YAML of which nothing is lost or turned into something else.

YAML 1.1, which most readers follow, takes ``NO`` for false, ``0123`` for 83 and ``12:30:45`` for 45045; 1.2 takes all
three for text. What they read differently is refused with its line: the writer is asked to quote it. Keys are text as
written, a key that comes twice is refused, and so are aliases that unfold into more than memory holds.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from slicewright.files.strict_json import BrokenTextError, check_memory

MOST_UNFOLDED = 10_000_000
"""So many values a document may have when its aliases are written out."""
_BYTES = {",": 900, "\n": 900, "[": 900, "{": 900}
"""What PyYAML takes for each value that such a sign begins: a node with two marks."""
_TRUTH = {"true": True, "false": False}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_ODD_WHOLE = re.compile(r"[-+]?(?:0x[0-9a-fA-F_]*[0-9a-fA-F]|[1-9][0-9_]*)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")


class WrittenInt(int):
    """A whole number that is written otherwise than Python would: as a name it would be another one."""

    written: str


def parse_yaml(text: str) -> object:
    """The value of a YAML text.

    Raises:
        BrokenTextError: says what and in which line.
    """
    import yaml

    check_memory(text, _BYTES)
    loader = _loader()(_readable(text))
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_unfolded(node)
        value: object = loader.construct_document(node)
    except _loader().Refusal as refused:
        raise BrokenTextError(str(refused)) from None
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise BrokenTextError(
            f"is not valid YAML{where}: {getattr(broken, 'problem', None) or broken}".replace("\n", " ")
        ) from None
    except RecursionError:
        raise BrokenTextError("is nested too deeply to be read") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as broken:
        # Values behind explicit tags (!!int, !!timestamp), which PyYAML converts without a check.
        raise BrokenTextError(f"holds a value that does not fit its tag: {broken}") from None
    finally:
        loader.dispose()
    return value


def _readable(text: str) -> str:
    """libyaml takes no half characters and stops at what YAML calls not printable; it is told apart here."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as broken:
        line = text.count("\n", 0, broken.start) + 1
        raise BrokenTextError(f"holds half of a character in line {line}") from None
    return text


@cache
def _loader() -> Any:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # its base is known at run time
        """PyYAML's safe loader, without its guesses."""

        class Refusal(Exception):
            """What is refused is valid, but read differently by others, or not meant."""

    resolvers: Any = Loader.yaml_implicit_resolvers
    unwanted = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if tag not in unwanted]
        for first, rules in resolvers.items()
    }
    Loader.add_constructor("tag:yaml.org,2002:bool", _truth)
    Loader.add_constructor("tag:yaml.org,2002:int", _whole)
    Loader.add_constructor("tag:yaml.org,2002:float", _number)
    Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    Loader.add_constructor("tag:yaml.org,2002:merge", _no_merge)
    return Loader


def _truth(loader: Any, node: Any) -> bool:
    word = str(loader.construct_scalar(node))
    if word.lower() not in _TRUTH:
        problem = f"{word} is a word to some readers and true or false to others"
        raise _refusal(node, problem, "quote it, or write true or false")
    return _TRUTH[word.lower()]


def _whole(loader: Any, node: Any) -> int:
    word = str(loader.construct_scalar(node))
    try:
        if _WHOLE.fullmatch(word) or _ODD_WHOLE.fullmatch(word):
            value = int(word, 0)
            if str(value) == word:
                return value
            odd = WrittenInt(value)
            odd.written = word
            return odd
    except ValueError:
        raise _refusal(node, f"holds a number of {len(word)} digits", "write it as 1e9") from None
    if _LEADING_ZERO.fullmatch(word):
        raise _refusal(
            node, f"{word} is octal to some readers, decimal to others and may be a name", "quote it"
        )
    raise _refusal(node, f"{word} is text to some readers and another number to others", "quote it")


def _number(loader: Any, node: Any) -> float:
    word = str(loader.construct_scalar(node))
    plain = word.replace("_", "").lower()
    if ":" in word:
        raise _refusal(
            node, f"{word} is a time to people and a number in base 60 to some readers", "quote it"
        )
    try:
        return float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise _refusal(node, f"{word} is not a number", "quote it if it is text") from None


def _mapping(loader: Any, node: Any) -> Any:
    """Keys as written; those of merged mappings (``<<``) yield to a mapping's own."""
    value: dict[str, object] = {}
    yield value
    for key, item in _pairs(node).items():
        value[key] = loader.construct_object(item)


def _pairs(node: Any) -> dict[str, Any]:
    """Values by key, not built yet; its own count more than merged ones, of those the first that has a key."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise _refusal(node, "a mapping is announced, and something else follows", "")
    own: dict[str, Any] = {}
    lines: dict[str, int] = {}
    merged: list[Any] = []
    for key, item in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refusal(key, "a key must be a word", "")
        line = key.start_mark.line + 1
        if key.value in lines:
            first = lines[key.value]
            raise _refusal(key, f"has the key {key.value!r} twice, in lines {first} and {line}", "keep one")
        lines[key.value] = line
        if key.tag != "tag:yaml.org,2002:merge":
            own[str(key.value)] = item
            continue
        merged = item.value if isinstance(item, yaml.SequenceNode) else [item]
    pairs: dict[str, Any] = {}
    for other in reversed(merged):
        if not isinstance(other, yaml.MappingNode):
            raise _refusal(other, "<< merges mappings, and this is none", "quote << if it is a name")
        pairs.update(_pairs(other))
    return pairs | own


def _no_merge(loader: Any, node: Any) -> Any:
    raise _refusal(node, "<< is text to some readers and merges mappings for others", "quote it")


def _refusal(node: Any, problem: str, fix: str) -> Exception:
    at = "" if problem.startswith("has ") else f"line {node.start_mark.line + 1}: "
    refusal: Exception = _loader().Refusal(f"{at}{problem}; {fix}" if fix else f"{at}{problem}")
    return refusal


def _check_unfolded(root: Any) -> None:
    """Refuse aliases that unfold into too much, or into themselves. Nodes are visited once, whatever points to them."""
    import yaml

    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if id(node) in sizes:
            continue
        children = _children(node, yaml)
        if done:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > MOST_UNFOLDED:
                raise _refusal(node, f"aliases unfold into more than {MOST_UNFOLDED:,} values", "write less")
            continue
        if not children:
            sizes[id(node)] = 1
            continue
        if id(node) in open_nodes:
            continue
        open_nodes.add(id(node))
        stack.append((node, True))
        for child in children:
            if id(child) in open_nodes:
                raise _refusal(child, "an alias stands for something that it is a part of", "write it out")
            stack.append((child, False))


def _children(node: Any, yaml: Any) -> list[Any]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return []
