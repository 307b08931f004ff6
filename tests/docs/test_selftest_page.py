"""The page of the kill matrix says what a matrix holds, and the one that is published names faults that there are."""

from __future__ import annotations

import re

from conformance.faults import FAULTS
from conformance.selftest import Kill, Matrix
from docs.generate.selftest import PATH, selftest

MATRIX = Matrix(
    "quick",
    "float64",
    0,
    (
        Kill("gd_ascent", "gd", "sum_of_steps", 3, 0.5),
        Kill("gd_ascent", "gd", "order_of_steps", 0, 0.5),
        Kill("gd_signed", "gd", "sum_of_steps", 5, 0.25),
        Kill("gd_signed", "gd", "gradient_scale", 1, 0.25),
        Kill("adam_step_counter_in_float16", "adam", "bias_correction", 0, 0.5),
        Kill("relu_leaky", "relu", "rises", 0, 0.5),
    ),
)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading."""
    return text.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0].strip()


def test_the_page_tells_runs_survivors_families_and_claims():
    text = selftest([MATRIX])

    assert section(text, "Runs").endswith("| quick | float64 | 0 | 4 | 2 (50.0%) | 2 | 3 | 0.5 |")
    survivors = section(text, "Survivors")
    assert "- `adam_step_counter_in_float16` (quick float64 0): The trainings of the quick" in survivors
    assert survivors.endswith("- `relu_leaky` (quick float64 0)")
    assert section(text, "Families").splitlines()[-1] == "| optimizers | 3 | 2 | 2 | 3 |"
    assert (
        section(text, "The faults that take the most inputs").splitlines()[2].startswith("| `gd_ascent` | 3 | 0.50 |")
    )
    assert "| `sum_of_steps` | 2 | 1 |" in section(text, "Claims")
    assert "- `gd`: `any_order`, `copies_move_alike`, " in section(text, "Pairs without a fault")
    assert "| pytorch/pytorch #12218 | `sgd_l2_penalty_added_in_place` |" in text


def test_the_published_page_names_faults_that_there_are():
    published = PATH.read_text("utf-8")
    known = {fault.id for fault in FAULTS}
    named = re.findall(r"^\| `(\w+)`", section(published, "The faults that take the most inputs"), re.MULTILINE)

    assert len(named) == 20
    assert set(named) <= known
    assert f"{len(FAULTS):,} faults are planted" in published
