"""GitHub-flavoured Markdown.

Inline mathematics is written ``$`...`$``: GitHub's form in which no character is read as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["anchor", "code", "display", "link", "math", "page", "prose", "sentence", "table"]

_NAME = r"\b(?:[a-z]\w*\.)*[a-z][a-z0-9]+(?:_[a-z0-9]{2,})+_?(?:\.[a-z]\w*)*\b"
_SPECIAL = re.compile(rf"(\$[^$]+\$|`[^`]+`|{_NAME})")

NOTE = "<!-- Made by `python -m docs.generate`; edit what it is made of. -->"


def math(latex: str) -> str:
    """Set a formula within a line."""
    return f"$`{_fitted(latex)}`$"


def display(latex: str) -> str:
    """Set a formula, or several aligned ones, on lines of their own."""
    body = _fitted(latex)
    aligned = "&=" in body or "&\\" in body
    return "```math\n" + (f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}" if aligned else body) + "\n```"


def prose(text: str) -> str:
    """Return text whose ``$...$`` is mathematics and whose `names` and long_names are code, all else as it stands."""
    return "".join(_set(part) for part in _SPECIAL.split(text))


def sentence(text: str) -> str:
    """Return text with a capital letter, unless it begins with a name, and a full stop."""
    whole = text.strip()
    begun = whole if _SPECIAL.match(whole) else whole[:1].upper() + whole[1:]
    return prose(begun) + ("" if whole.endswith((".", "!", "?")) else ".")


def code(text: str) -> str:
    """Set a name."""
    return f"`{text}`"


def link(text: str, target: str) -> str:
    """Return a link."""
    return f"[{text}]({target})"


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; a bar in a cell separates nothing."""
    lines = [_row(head), "|" + "---|" * len(head), *(_row([_cell(str(cell)) for cell in row]) for row in rows)]
    return "\n".join(lines)


def page(*blocks: str) -> str:
    """Put blocks under each other, without the empty ones."""
    return "\n\n".join([NOTE, *(block for block in blocks if block)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _fitted(latex: str) -> str:
    """Avoid what GitHub lacks: operator names, and in a table a bar with a backslash."""
    applied = re.sub(r"\\operatorname\{(\w+)\}(?=[(_^{])", r"\\mathrm{\1}", latex)
    named = re.sub(r"\\operatorname\{(\w+)\}", r"\\mathrm{\1}\\,", applied)
    return named.replace("\\|", "\\Vert ")


def _set(part: str) -> str:
    if not _SPECIAL.fullmatch(part):
        return re.sub(r"([*<\\]|(?<!\w)_|_(?!\w))", r"\\\1", part)
    return math(part[1:-1]) if part[0] == "$" else part if part[0] == "`" else code(part)
