"""The worked figures: files that are the same in every run, and what stands in the way of them."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import cli
from conformance.errors import LoadError, UsageError
from conformance.figures import FIGURES, Figure, write
from oracle.catalogue import FORMULAS

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("figures")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "figures"
FILES = [f"{figure.name}.{form}" for figure in FIGURES for form in ("svg", "png")]
LARGEST = 100_000  # bytes of a picture that is kept

every_figure = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)


@functools.cache
def drawn(figure: Figure) -> dict[str, bytes]:
    """Contents of a figure's files by their names."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_bytes() for path in write(Path(folder), [figure])}


def test_the_command_makes_the_folder_and_prints_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    monkeypatch.setattr("conformance.commands.figures.write", lambda folder: write(folder, FIGURES[:1]))

    code = cli.main(["figures", "--output", str(folder)])

    written = [folder / name for name in FILES[:2]]
    assert code == 0
    assert capsys.readouterr().out.splitlines() == [str(path) for path in written]
    assert sorted(folder.iterdir()) == sorted(written)


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("kept")

    code = cli.main(["figures", "--output", str(file)])

    assert code == 2
    assert capsys.readouterr().err == f"exactstep: --output must be a folder, got {str(file)!r}\n"
    assert file.read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "below"

    code = cli.main(["figures", "--output", str(folder)])

    assert code == 2
    assert capsys.readouterr().err == f"exactstep: {folder}: Not a directory\n"


def test_without_matplotlib_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    code = cli.main(["figures", "--output", str(tmp_path / "figures")])

    assert code == 3
    assert capsys.readouterr().err.startswith("exactstep: figures need matplotlib: pip install ")
    assert not (tmp_path / "figures").exists()


def test_the_folder_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["figures"]) == 2
    assert "--output" in capsys.readouterr().err


def test_errors_are_those_of_the_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError):
        write(tmp_path / "file")

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(LoadError):
        write(tmp_path)


def test_another_run_writes_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conformance", "figures", "--output", str(tmp_path)]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}

    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == sorted(FILES)
    assert [name for figure in FIGURES for name, content in drawn(figure).items() if written[name] != content] == []


def test_the_users_own_settings_change_nothing() -> None:
    import matplotlib as mpl

    figure = FIGURES[1]
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": None, "axes.grid": False}):
        assert drawn.__wrapped__(figure) == drawn(figure)


@every_figure
def test_a_figure_is_a_picture_without_a_date(figure: Figure) -> None:
    svg, png = drawn(figure).values()

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert len(svg) <= LARGEST
    assert b"dc:date" not in svg
    assert png.startswith(b"\x89PNG")


@every_figure
def test_the_documentation_has_the_figure(figure: Figure) -> None:
    kept = (DOCS / f"{figure.name}.svg").read_bytes()

    assert shapes(kept) == shapes(drawn(figure)[f"{figure.name}.svg"]), "python -m docs.generate"


def test_the_documentation_has_no_other_figure() -> None:
    assert {path.stem for path in DOCS.glob("*.svg")} == {figure.name for figure in FIGURES}


@every_figure
def test_a_figure_says_what_it_shows(figure: Figure) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", figure.name)
    assert not figure.title.endswith(".")
    assert figure.caption.endswith(".")
    assert figure.formulas
    assert set(figure.formulas) <= {formula.id for formula in FORMULAS}


def test_names_are_unique() -> None:
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def shapes(svg: bytes) -> list[str]:
    """The outlines of a picture that is drawn of data, each rounded to a tenth of a point."""
    data = re.findall(r'<path d="([^"]*)" clip-path', svg.decode())
    return [re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", path) for path in data]
