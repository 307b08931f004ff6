"""Draws depend on the seed alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from properties.drawing import draw_cases

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("drawing")

_ROOT = Path(__file__).parents[2]

_DRAW = """
import sys
import numpy as np
from hypothesis import given, seed, settings, strategies as st
from oracle.catalogue import get
from properties.claims import Space
from properties.drawing import draw_cases
from properties.strategies.trainings import PLANS, trainings
{extra}
np.set_printoptions(floatmode="unique", threshold=sys.maxsize)
numbers = st.tuples(st.integers(), st.floats(), st.text())
print(draw_cases(numbers, 200, 7))
for kind in PLANS:
    print(draw_cases(trainings(Space(get("adamw"), "float32", "quick"), kind), 2, 7))
"""

_DRAW_AS_USUAL = """
from hypothesis import given, seed, settings, strategies as st
{extra}
@seed(7)
@settings(database=None, max_examples=500)
@given(st.integers())
def show(number):
    print(number)
show()
"""


def _output(script: str, folder: Path, *, extra: str = "", hash_seed: str = "0") -> str:
    path = os.pathsep.join([str(_ROOT), str(folder)])
    run = subprocess.run(
        [sys.executable, "-c", script.format(extra=extra)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module full of constants that Hypothesis would find."""
    folder = tmp_path_factory.mktemp("user")
    lines = [f"NUMBER_{n} = {918273645 + 1000003 * n}" for n in range(50)]
    lines += [f"FLOAT_{n} = {n}.123456789" for n in range(50)]
    (folder / "peculiar.py").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> str:
    return _output(_DRAW, folder)


def test_constants_of_imported_modules_do_not_change_the_draws(folder: Path, undisturbed: str) -> None:
    disturbed = _output(_DRAW, folder, extra="import peculiar")

    assert disturbed == undisturbed


def test_the_same_constants_do_change_what_hypothesis_draws_by_default(folder: Path) -> None:
    alone = _output(_DRAW_AS_USUAL, folder)
    disturbed = _output(_DRAW_AS_USUAL, folder, extra="import peculiar")

    assert alone != disturbed, "without this difference the provider would be needless"


def test_the_hash_seed_does_not_change_the_draws(folder: Path, undisturbed: str) -> None:
    assert _output(_DRAW, folder, hash_seed="12345") == undisturbed


def test_a_hostile_profile_does_not_change_the_draws(folder: Path, undisturbed: str) -> None:
    hostile = (
        "from hypothesis import HealthCheck, Phase, Verbosity\n"
        "settings.register_profile('hostile', derandomize=True, max_examples=1, deadline=1,"
        " phases=[Phase.shrink], verbosity=Verbosity.debug, print_blob=True, report_multiple_bugs=True,"
        " suppress_health_check=[], database=None, stateful_step_count=1)\n"
        "settings.load_profile('hostile')"
    )

    assert _output(_DRAW, folder, extra=hostile) == undisturbed


@pytest.mark.parametrize("count", [0, 1, 2, 28, 300])
def test_exactly_as_many_cases_are_drawn_as_asked_for(count: int) -> None:
    assert len(draw_cases(st.integers(0, 3), count, 1)) == count


def test_a_strategy_with_a_single_case_is_drawn_from_over_and_over() -> None:
    assert draw_cases(st.just("only"), 5, 1) == ["only"] * 5


def test_seeds_differ_in_their_draws_and_repeat_them() -> None:
    numbers = st.integers(0, 10**6)

    assert draw_cases(numbers, 20, 1) == draw_cases(numbers, 20, 1)
    assert draw_cases(numbers, 20, 1) != draw_cases(numbers, 20, 2)


def test_a_strategy_that_rejects_its_draws_is_named_in_the_error() -> None:
    few = st.tuples(st.integers(0, 255), st.integers(0, 255)).filter(lambda pair: pair == (0, 0))

    with pytest.raises(RuntimeError, match=r"tuples.*gave \d+ cases for 50"):
        draw_cases(few, 50, 1)


def test_drawing_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    draw_cases(st.integers(), 10, 1)

    assert capsys.readouterr() == ("", "")
