"""References, from the keys that formulas and claims cite."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from docs.generate.markdown import code, link, prose

__all__ = ["cited", "reference"]

_ENTRY = re.compile(r"^@\w+\{(\w+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
_FILE = Path(__file__).parents[2] / "references.bib"


@functools.cache
def _references() -> dict[str, dict[str, str]]:
    """Return the fields of every reference, without the braces of BibTeX."""
    return {
        key: {name: re.sub(r"[{}\\]", "", value) for name, value in _FIELD.findall(fields)}
        for key, fields in _ENTRY.findall(_FILE.read_text("utf-8"))
    }


def reference(source: str) -> str:
    """Return the full reference of a source: a key of ``references.bib``, a comma, and a place."""
    key, _, place = source.partition(",")
    fields = _references()[key]
    title = (
        f"*{prose(fields['title'])}*" if " " in fields["title"] else code(fields["title"])
    )  # of a function, its name
    told = [prose(fields[name]) for name in ("booktitle", "journal", "note") if name in fields]
    if fields.get("year", "") not in " ".join(told):
        told.append(fields["year"])
    return ", ".join([_names(fields), title, *told, *_web(fields)]) + (f"; {prose(place.strip())}" if place else "")


def cited(source: str) -> str:
    """Return where a claim comes from, its keys replaced by authors and years."""
    known = _references()
    return prose(re.sub(r"\w+", lambda word: _short(known[word[0]]) if word[0] in known else word[0], source))


def _short(fields: dict[str, str]) -> str:
    return " ".join(filter(None, (_names(fields), f"({fields['year']})" if "year" in fields else "")))


def _names(fields: dict[str, str]) -> str:
    """Return the family names; of more than two authors, the first."""
    names = [name if name.endswith("contributors") else name.split()[-1] for name in fields["author"].split(" and ")]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def _web(fields: dict[str, str]) -> list[str]:
    """Return a link to where a reference can be read, if one is known."""
    if "eprint" in fields:
        return [link(f"arXiv:{fields['eprint']}", f"https://arxiv.org/abs/{fields['eprint']}")]
    return [link("online", fields["url"])] if "url" in fields else []
