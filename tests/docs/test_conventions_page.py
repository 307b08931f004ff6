"""The page of the convention map has the tables of a map, and the one that is published has every program of torch."""

from __future__ import annotations

import re

import pytest

from conformance.conventions.records import Cell, ConventionMap, Library, Row
from conformance.conventions.survey import mapped_kind
from docs.generate.conventions import PATH, conventions, main

ROW = Row(
    "clip",
    "",
    "library.clip",
    ("limit",),
    {},
    (),
    {"computes": Cell("clip_by_norm"), "NaN": Cell("", False, "it raises")},
)
MAP = ConventionMap((Library("library", "1.0", {"weather": "fair"}, 7, (ROW,)),))


def test_the_page_has_versions_seeds_tables_and_notes():
    text = conventions(MAP)

    assert text.startswith("<!-- Made by")
    assert "- **library 1.0**, seed 7 (weather fair)" in text
    assert "| `library.clip` | limit    | clip_by_norm | ? (1) |" in text
    assert "1. it raises" in text


def test_the_page_is_made_of_files_of_several_environments(tmp_path, monkeypatch, capsys):
    page = tmp_path / "conventions.md"
    monkeypatch.setattr("docs.generate.conventions.PATH", page)
    for name in ("one", "two"):
        library = Library(name, "1.0", {}, 0, (ROW,))
        (tmp_path / f"{name}.json").write_text(ConventionMap((library,)).as_json(), "utf-8")
    main([str(tmp_path / "one.json"), str(tmp_path / "two.json")])

    assert capsys.readouterr().out == f"{page}\n"
    assert "**one 1.0**" in page.read_text("utf-8")
    assert "**two 1.0**" in page.read_text("utf-8")


def test_the_published_page_has_every_program_of_torch():
    pytest.importorskip("torch")
    from conformance.backends.torch import backend

    published = set(re.findall(r"^\| `([^`]+)`", PATH.read_text("utf-8"), re.MULTILINE))
    programs = {one.label.partition(":")[0] for one in backend().implementations if mapped_kind(one)}

    assert len(programs) > 10
    assert programs <= published
