"""The README says what is so: its table is the catalogue's, and its example prints what it shows."""

from __future__ import annotations

import re
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from conformance import cli
from conformance.backends.torch import backend
from conformance.version import __version__
from oracle.catalogue import FORMULAS
from oracle.formula import Formula
from properties.catalogue import claims_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PLUGIN_OPTIONS = set(re.findall(r'"(--exactstep[-a-z]*)"', (ROOT / "exactstep_pytest.py").read_text("utf-8")))

INSTALL_AND_RUN = (
    'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[torch]" '
    "&& .venv/bin/exactstep run torch --output report"
)
TEST = "python3 -m venv .venv && .venv/bin/pip install nox && .venv/bin/nox"


def coverage_row(formula: Formula, claimed: set[str]) -> str:
    hyperparameters = ", ".join(f"`{name}`" for name in formula.hyperparameters)
    torch = "yes" if formula.id in claimed else ""
    claims = len(claims_for(formula.id))
    return f"| `{formula.id}` | {formula.title.rstrip('.')} | {hyperparameters} | {claims} | {torch} |"


def coverage_table() -> str:
    """The README's table of formulas, from the catalogue and the backend."""
    claimed = {implementation.formula for implementation in backend().implementations}
    head = ["| formula | what it does | hyperparameters | claims | in torch |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(coverage_row(formula, claimed) for formula in FORMULAS)])


def fenced(language: str) -> list[str]:
    """Contents of the README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_coverage_table_is_the_catalogues() -> None:
    table = coverage_table()

    assert table in README, f"Put this into README.md:\n\n{table}\n"


@pytest.mark.parametrize("command", [INSTALL_AND_RUN, TEST], ids=["run", "test"])
def test_the_commands_stand_verbatim(command: str) -> None:
    assert command in README.splitlines()


def test_the_ci_script_runs_the_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8").replace('"$scratch/.venv', ".venv").replace('"', "")

    steps = TEST.split(" && ")
    assert [line for line in script.splitlines() if line.startswith(("python3", ".venv"))] == steps


def test_the_example_prints_what_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    source, *_ = fenced("python")
    shown = fenced("text")[0]

    exec(compile(source, "README.md", "exec"), {"__name__": "__main__"})

    seed = "profile quick, seed 0\n"  # what follows are versions of the installation
    printed = capsys.readouterr().out.partition(seed)[0] + seed
    assert printed == shown, f"Put this into README.md:\n\n{printed}"


def test_the_test_of_adapters_passes_for_honest_ones_and_fails_for_others() -> None:
    (source,) = (block for block in fenced("python") if "assert_backend_conforms" in block)
    for name, passes in (("VIRTUES", True), ("FUNCTIONS", False)):
        module: dict[str, Any] = {}
        exec(source.replace("mypackage.mymodule:backend", f"tests.helpers.adapters:{name}"), module)

        with nullcontext() if passes else pytest.raises(AssertionError, match="does not keep what adapters promise"):
            module["test_my_adapters"]()


def test_what_is_identified_in_an_example_is_what_the_readme_shows() -> None:
    blocks = [block for block in fenced("python") if "identify(" in block]
    scope: dict[str, object] = {}
    shown = 0

    for line in "".join(blocks).splitlines():
        code, _, comment = line.partition("  # ")
        if comment.startswith("("):
            shown += 1
            assert eval(code, scope) == eval(comment), line
        elif code and not code.startswith("print"):
            exec(code, scope)
    assert shown == len(blocks) == 2


@pytest.mark.parametrize("line", [line for block in fenced("console") for line in block.splitlines()])
def test_every_command_shown_is_one_that_the_parser_takes(line: str) -> None:
    for command in line.split("&&"):
        program, *arguments = shlex.split(command, comments=True)
        if Path(program).name == "exactstep":
            assert cli.parser().parse_args(arguments).command
        if program == "pytest":
            assert {word for word in arguments if word.startswith("--exactstep")} <= PLUGIN_OPTIONS


def test_every_relative_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_citation_has_the_version_of_the_distribution() -> None:
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
