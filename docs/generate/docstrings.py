"""The docstring of a formula, made Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap

from docs.generate.markdown import code, display, prose
from oracle.formula import Formula

__all__ = ["section"]

_ROLE = re.compile(r":math:`([^`]+)`")
_LITERAL = re.compile(r"``([^`]+)``")


def section(formula: Formula, name: str) -> str:
    """Return a section of a formula's docstring; empty if there is none."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(formula.body.__doc__ or ""), flags=re.MULTILINE)
    body = dict(zip(parts[1::2], parts[2::2], strict=True)).get(name, "").strip("\n")
    if name == "Examples":
        return f"```pycon\n{body}\n```" if body else ""
    return _items(body) if name in ("Parameters", "Returns", "Raises") else _paragraphs(body)


def _items(body: str) -> str:
    """Make a list of what is described indented below its name."""
    items = re.split(r"^(?=\S)", body, flags=re.MULTILINE)[1:]
    return "\n".join(_item(*item.partition("\n")[::2]) for item in items)


def _item(head: str, description: str) -> str:
    names, _, form = head.partition(" : ")
    told = _line(textwrap.dedent(description)).strip()
    named = ", ".join(code(name) for name in names.split(", "))
    return f"- {named}{f', {_line(form)}' if form else ''}: {told}" if form else f"- {_line(names)}: {told}"


def _paragraphs(body: str) -> str:
    """Make paragraphs, and displays of the equations between them."""
    pieces = re.split(r"^\.\. math::\n\n((?: {4}.*\n?|\n)+)", body + "\n", flags=re.MULTILINE)
    blocks = [
        display(textwrap.dedent(piece).strip()) if index % 2 else "\n\n".join(map(_line, piece.strip().split("\n\n")))
        for index, piece in enumerate(pieces)
    ]
    return "\n\n".join(block for block in blocks if block)


def _line(text: str) -> str:
    """Return one paragraph, its roles and literals in Markdown."""
    flat = " ".join(text.split())
    return prose(_LITERAL.sub(r"`\1`", _ROLE.sub(lambda role: f"${role[1]}$", flat)))
