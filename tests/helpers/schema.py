"""The part of JSON Schema that our own schema uses, so that tests need no validator from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["problems"]

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}
_ANNOTATIONS = {"$schema", "$defs", "title", "description"}


def problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> list[str]:
    """Why a value does not match a schema; empty if it does.

    Raises
    ------
    KeyError
        If the schema uses a keyword that this validator does not know.
    """
    return list(_problems(value, schema, schema if root is None else root, "line"))


def _problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str) -> Iterator[str]:
    for keyword, wanted in schema.items():
        if keyword not in _ANNOTATIONS:
            yield from _KEYWORDS[keyword](value, wanted, schema, root, place)


def _is(value: Any, name: str) -> bool:
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def _type(value, wanted, schema, root, place):
    names = wanted if isinstance(wanted, list) else [wanted]
    if not any(_is(value, name) for name in names):
        yield f"{place}: {value!r} is no {' or '.join(names)}"


def _one_of(value, wanted, schema, root, place):
    matching = [branch for branch in wanted if not list(_problems(value, branch, root, place))]
    if len(matching) != 1:
        yield f"{place}: matches {len(matching)} of {len(wanted)} alternatives"


def _any_of(value, wanted, schema, root, place):
    if all(list(_problems(value, branch, root, place)) for branch in wanted):
        yield f"{place}: {value!r} matches no alternative"


def _ref(value, wanted, schema, root, place):
    found = root
    for part in wanted.removeprefix("#/").split("/"):
        found = found[part]
    yield from _problems(value, found, root, place)


def _properties(value, wanted, schema, root, place):
    for name, inner in wanted.items():
        if isinstance(value, dict) and name in value:
            yield from _problems(value[name], inner, root, f"{place}.{name}")


def _additional(value, wanted, schema, root, place):
    for name in set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else ():
        if wanted is False:
            yield f"{place}: {name} is not known"
        else:
            yield from _problems(value[name], wanted, root, f"{place}.{name}")


def _items(value, wanted, schema, root, place):
    for position, entry in enumerate(value if isinstance(value, list) else ()):
        yield from _problems(entry, wanted, root, f"{place}[{position}]")


def _when(holds, text):
    def check(value, wanted, schema, root, place):
        if not holds(value, wanted):
            yield f"{place}: {value!r} {text} {wanted!r}"

    return check


_KEYWORDS = {
    "type": _type,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "$ref": _ref,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "const": _when(lambda value, wanted: value == wanted, "is not"),
    "enum": _when(lambda value, wanted: value in wanted, "is not among"),
    "pattern": _when(lambda value, wanted: not isinstance(value, str) or re.search(wanted, value), "does not match"),
    "minimum": _when(lambda value, wanted: not isinstance(value, int) or value >= wanted, "is less than"),
    "minItems": _when(lambda value, wanted: not isinstance(value, list) or len(value) >= wanted, "is shorter than"),
    "maxItems": _when(lambda value, wanted: not isinstance(value, list) or len(value) <= wanted, "is longer than"),
    "required": _when(lambda value, wanted: not isinstance(value, dict) or set(wanted) <= set(value), "lacks some of"),
}
