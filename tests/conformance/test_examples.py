"""The example of a package with an optimizer of its own: it conforms, its sibling does not, and its files agree."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
import torch  # noqa: F401 - imported here, it outlives the sessions within this process

EXAMPLE = Path(__file__).parents[2] / "examples" / "lionheart"
PLUGIN = ("-p", "no:exactstep", "-p", "exactstep_pytest")
IGNORED = shutil.ignore_patterns("__pycache__", ".*cache", "report")


@pytest.fixture
def package(pytester: pytest.Pytester) -> pytest.Pytester:
    """A copy of the example, to run its tests in."""
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True, ignore=IGNORED)
    return pytester


def test_its_tests_pass(package: pytest.Pytester) -> None:
    package.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=2)


def test_its_checks_pass_as_tests(package: pytest.Pytester) -> None:
    result = package.runpytest_inprocess(*PLUGIN, "--exactstep", "tests/backend.py:backend", "-k", "lion and float64")

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] >= 10


def test_the_sibling_is_found_out_by_name(package: pytest.Pytester) -> None:
    check = "exactstep::tests/backend.py:wrong::lion::lion.follows_the_formula@lionheart.HastyLion[float64,cpu]"

    result = package.runpytest_inprocess(*PLUGIN, "--exactstep", "tests/backend.py:wrong", check)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["✖ deviates  follows_the_formula*", "    off by *", "    rerun *"])


def test_the_workflow_runs_sessions_that_there_are() -> None:
    workflow = (EXAMPLE / ".github" / "workflows" / "conformance.yml").read_text("utf-8")
    tree = ast.parse((EXAMPLE / "noxfile.py").read_text("utf-8"))
    sessions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list}

    assert set(re.findall(r"nox -s (\w+)", workflow)) == sessions == {"tests", "conformance"}


def test_the_noxfile_judges_a_backend_that_there_is() -> None:
    (file, name) = re.search(r'BACKEND = "(.*):(.*)"', (EXAMPLE / "noxfile.py").read_text("utf-8")).groups()

    assert f"def {name}()" in (EXAMPLE / file).read_text("utf-8")
