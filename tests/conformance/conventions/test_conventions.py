"""The convention map says of fakes what they do, in every cell, and of what it cannot tell that it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from conformance import UsageError, convention_map
from conformance.api import plan_of
from conformance.backends import Backend, Implementation
from conformance.cli import main
from conformance.conventions.defaults import defaults
from conformance.conventions.records import Cell, ConventionMap, Row, merged, read
from conformance.conventions.schedules import SETTINGS
from conformance.conventions.tables import markdown
from conformance.faults.adam import ADAM
from conformance.faults.clipping import Clip
from conformance.faults.programs import Bookkeeping, Program
from conformance.faults.schedules import Rates
from oracle.arithmetic.formats import BFLOAT16
from oracle.catalogue import FORMULAS
from oracle.dialects import LATTICES
from tests.helpers.speakers import speaker

WIDE = ("float64", "float32")
ALL = (*WIDE, "bfloat16")


def point(family: str, formula: str, **moves: str) -> Any:
    """Return a named point of a lattice, moved on some axes, which have `_` for a space."""
    lattice = LATTICES[family]
    (named,) = [dialect for dialect in lattice.points(()) if dialect.id == formula]
    return lattice.moved(named, {name.replace("_", " "): value for name, value in moves.items()})


# -- Optimizers: each beside a plain one from which it differs on one axis -------------------------------------------

ADAMW = point("adam", "adamw")
POINTS: Mapping[str, Any] = {
    "adamw": ADAMW,
    "adamw.epsilon": point("adam", "adamw", epsilon="inside the root"),
    "adamw.bias correction": point("adam", "adamw", bias_correction="of the second moment alone"),
    "adamw.step count": point("adam", "adamw", step_count="starts at 2"),
    "adamw.weight decay": point("adam", "adamw", weight_decay="decoupled, without the learning rate"),
    "ball": point("momentum", "momentum_heavy_ball"),
    "ball.step": point("momentum", "momentum_heavy_ball", step="along the velocity one step ahead (Nesterov)"),
    "ball.learning rate": point("momentum", "momentum_heavy_ball", learning_rate="inside the velocity"),
    "ball.momentum": point("momentum", "momentum_heavy_ball", momentum="moving average (EMA)"),
    "adagrad": point("adaptive", "adagrad"),
    "adagrad.start of the squares": point("adaptive", "adagrad", start_of_the_squares="0.1"),
}


# -- Storage: the same rule, and ways to keep its numbers ------------------------------------------------------------


class Shown(Bookkeeping):
    """Shows its moments, and rounds them and its parameters to nearest."""

    def state(self) -> list[Mapping[str, Any]]:
        return [{name: np.array(value, dtype=np.float64) for name, value in memory.items()} for memory in self.memories]


class WideState(Shown):
    """Keeps its moments in float32."""

    def apply(self, tensor: int, grad: Any, memory: Any, options: Any, step: int) -> None:
        self.values[tensor] = self.arithmetic.store(self.rule(self.values[tensor], grad, memory, options, step))


class Master(Shown):
    """Keeps its parameters in float32, and shows them rounded."""

    def apply(self, tensor: int, grad: Any, memory: Any, options: Any, step: int) -> None:
        self.values[tensor] = self.rule(self.values[tensor], grad, memory, options, step)

    def params(self) -> list[Any]:
        return [np.array(self.arithmetic.store(value), dtype=np.float64) for value in self.values]


class Stochastic(Shown):
    """Rounds its parameters at random in half precision."""

    def apply(self, tensor: int, grad: Any, memory: Any, options: Any, step: int) -> None:
        exact = np.asarray(self.rule(self.values[tensor], grad, memory, options, step), dtype=np.float64)
        if self.arithmetic.form is BFLOAT16:
            exact = exact + BFLOAT16.spacing(exact) * (np.random.random(exact.shape) - 0.5)  # noqa: NPY002 - the guard's
        self.values[tensor] = self.arithmetic.store(exact)


class Upward(Shown):
    """Rounds its parameters up in half precision."""

    def apply(self, tensor: int, grad: Any, memory: Any, options: Any, step: int) -> None:
        exact = np.asarray(self.rule(self.values[tensor], grad, memory, options, step), dtype=np.float64)
        nearest = np.asarray(self.arithmetic.store(exact), dtype=np.float64)
        low = self.arithmetic.form is BFLOAT16 and nearest < exact
        self.values[tensor] = self.arithmetic.store(nearest + np.where(low, BFLOAT16.spacing(nearest), 0.0))


class Resting(Shown):
    """Leaves its parameters alone in half precision if there are many."""

    def apply(self, tensor: int, grad: Any, memory: Any, options: Any, step: int) -> None:
        if self.arithmetic.form is not BFLOAT16 or grad.size < 16:
            super().apply(tensor, grad, memory, options, step)


class Narrow(Bookkeeping):
    """Computes in float32 whatever it is given."""

    def __init__(self, rule: Any, params: Sequence[Any], groups: Sequence[Any], dtype: str) -> None:
        super().__init__(rule, params, groups, "float32")


KEEPING: Mapping[str, type[Bookkeeping]] = {
    kind.__name__: kind for kind in (Shown, WideState, Master, Stochastic, Upward, Resting, Narrow)
}


@dataclass(frozen=True, eq=False)
class Raising:
    """Makes nothing."""

    message: str

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError(self.message)


@dataclass(frozen=True, eq=False)
class Spelled:
    """A factory that says what it takes, and how it calls it."""

    made: Any
    spellings: Mapping[str, str]

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.made(*arguments, **keywords)


# -- Clips and schedules ---------------------------------------------------------------------------------------------


def scaled(g: Any, limit: float, norm: Any) -> Any:
    return np.asarray(g * np.minimum(1.0, limit / norm), dtype=g.dtype)


def length(g: Any) -> Any:
    return np.sqrt(np.sum(g * g))


CLIPS: Mapping[str, Callable[[Any, float], Any]] = {
    "clip.plain": lambda g, limit: g * (limit / length(g)) if length(g) > limit else g,
    "clip.added": lambda g, limit: scaled(g, limit, length(g) + 1e-6),
    "clip.otherwise": lambda g, limit: scaled(g, limit, length(g) + 1e-3),
    "clip.rows": lambda g, limit: (
        g
        if not g.ndim
        else np.stack([CLIPS["clip.plain"](row, limit) for row in g])
        if g.ndim > 1
        else CLIPS["clip.plain"](g, limit)
    ),
    "clip.values": lambda g, limit: np.clip(g, -limit, limit),
    "clip.checked": lambda g, limit: (
        Raising("not finite")() if not np.all(np.isfinite(g)) else np.clip(g, -limit, limit)
    ),
}


def linear(t: int, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int, first: int = 0) -> float:
    if t + first <= warmup_steps:
        return peak_value * (t + first) / warmup_steps
    weight = max(0.0, (warmup_steps + decay_steps - t - first) / decay_steps)
    return end_value + (peak_value - end_value) * weight


SCHEDULES: Mapping[str, Callable[..., float]] = {
    "rate.plain": linear,
    "rate.first": lambda t, **levels: linear(t, first=1, **levels),
    "rate.falling": lambda t, **h: (
        linear(t, **h)
        if t <= h["warmup_steps"]
        else h["end_value"]
        + (h["peak_value"] - h["end_value"]) * (h["warmup_steps"] + h["decay_steps"] - t) / h["decay_steps"]
    ),
    "rate.onward": lambda t, **h: (
        linear(t, **h)
        if t <= h["warmup_steps"]
        else h["peak_value"] + (h["end_value"] - h["peak_value"]) * (t - h["warmup_steps"]) / h["decay_steps"]
    ),
    "rate.odd": lambda t, **levels: linear(t, **levels) ** 2,
}


def implementations() -> list[Implementation]:
    entries = [Implementation("adamw", label, speaker(dialect), WIDE) for label, dialect in POINTS.items()]
    entries += [
        Implementation("adam", f"kept.{name}", Program(ADAM, kind), ALL, state=("exp_avg", "exp_avg_sq"))
        for name, kind in KEEPING.items()
    ]
    entries += [
        Implementation("gd", "odd.cubed", Program(lambda theta, g, memory, h, t: theta - h.learning_rate * g**3), WIDE),
        Implementation("gd", "odd.raising", Raising("out of order"), WIDE),
        Implementation("gd", "odd.half", Raising("never asked"), ("bfloat16",)),
        Implementation("relu", "odd.relu", Raising("never asked"), WIDE),
        Implementation("gd", "odd.elsewhere", Raising("never asked"), WIDE, devices=("cuda",)),
    ]
    entries += [Implementation("clip_by_norm", label, Clip(body), ALL) for label, body in CLIPS.items()]
    entries.append(Implementation("clip_by_norm", "clip.raising", Raising("out of order"), ALL))
    entries += [
        Implementation("schedule_linear_decay_warmup", label, Rates(body), ("float64",))
        for label, body in SCHEDULES.items()
    ]
    return entries


class Hiding(Bookkeeping):
    """Has a learning rate, and keeps its momentum and its decay to itself."""

    def __init__(self, rule: Any, params: Sequence[Any], groups: Sequence[Any], dtype: str) -> None:
        hidden = {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.01}
        given = [replace(group, hyperparameters={**group.hyperparameters, **hidden}) for group in groups]
        super().__init__(rule, params, given, dtype)


DECAYING = point("momentum", "momentum_heavy_ball", weight_decay="decoupled, without the learning rate")

#: Set up for no formula, so that nothing judges them.
UNCLAIMED = (
    Implementation("", "free.ball", speaker(POINTS["ball"]), WIDE),
    Implementation("", "free.hiding", Spelled(Program(speaker(DECAYING).rule, Hiding), {"learning_rate": "lr"}), WIDE),
)

FAKES = Backend("fakes", "1.0", tuple(implementations()), lambda: {"weather": "fair"}, UNCLAIMED)


def only(*beginnings: str) -> Backend:
    """Return those that claim a formula, and whose labels begin so."""
    some = tuple(one for one in FAKES.implementations if one.label.startswith(beginnings))
    return replace(FAKES, implementations=some, unclaimed=())


@pytest.fixture(scope="module")
def fakes() -> ConventionMap:
    return convention_map(FAKES)


@pytest.fixture(scope="module")
def rows(fakes: ConventionMap) -> Mapping[str, Row]:
    (library,) = fakes.libraries
    return {row.name: row for row in library.rows}


def changed(rows: Mapping[str, Row], one: str, other: str) -> set[str]:
    """Return the cells in which two rows differ."""
    names = {*rows[one].cells, *rows[other].cells}
    return {name for name in names if rows[one].cells.get(name) != rows[other].cells.get(name)}


@pytest.mark.parametrize("label", POINTS)
def test_every_axis_of_an_optimizer_is_told_as_it_is(label, rows):
    dialect, row = POINTS[label], rows[label]

    assert row.family == dialect.lattice.name
    for axis, value in dialect.values.items():
        assert row.cells[axis].decided
        assert value in row.cells[axis].value.split(" = ")
    assert row.cells["computes"].value == (dialect.id or dialect.describe())
    assert row.cells["float64"] == Cell("float64")
    assert row.cells["float32"].value.startswith("float32")
    assert row.cells["bfloat16"] == Cell("", False, "the backend does not declare it")


@pytest.mark.parametrize("label", [label for label in POINTS if "." in label])
def test_what_differs_on_one_axis_differs_in_its_cell_alone(label, rows):
    plain, _, axis = label.partition(".")

    assert changed(rows, plain, label) == {"computes", axis}


@pytest.mark.parametrize(
    ("kind", "state", "parameters", "arithmetic"),
    [
        ("Shown", "bfloat16", "rounded to nearest", "float32, scalars float64"),
        ("WideState", "float32", "rounded to nearest", "float32, scalars float64"),
        ("Master", "float32", "kept better than shown", "float32, scalars float64"),
        ("Stochastic", "float32", "rounded at random", "bfloat16, scalars float64"),
    ],
)
def test_what_is_kept_in_half_precision_is_told(kind, state, parameters, arithmetic, rows):
    cells = rows[f"kept.{kind}"].cells

    assert cells["computes"].value == "adam"
    assert cells["state in bfloat16"].value == state
    assert cells["parameters in bfloat16"].value == parameters
    assert cells["bfloat16"].value == arithmetic


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Upward", "it moves at steps of at most a quarter of the spacing, and not as they add up"),
        ("Resting", "not all of its 64 elements move by longer steps either"),
    ],
)
def test_a_rounding_that_is_none_of_the_known_is_not_guessed(kind, reason, rows):
    assert rows[f"kept.{kind}"].cells["parameters in bfloat16"] == Cell("", False, reason)


def test_narrow_arithmetic_in_float64_is_told(rows):
    assert changed(rows, "kept.Narrow", "kept.Shown") >= {"float64"}
    assert rows["kept.Narrow"].cells["float64"].value == "float32"


def test_what_claims_no_formula_is_mapped_and_judged_by_nothing(rows):
    judged = {implementation.label for implementation in plan_of(FAKES)[1].implementations}

    assert rows["free.ball"].cells == rows["ball"].cells
    assert "ball" in judged
    assert not judged & {"free.ball", "free.hiding"}


def test_values_that_an_optimizer_keeps_to_itself_are_told_where_they_matter(rows):
    row = rows["free.hiding"]

    assert row.varied == ("lr",)
    assert row.cells["weight decay"].value == "decoupled, without the learning rate"
    assert row.cells["computes"].reason == "with momentum=0.9, weight_decay=0.01 throughout"
    assert rows["ball"].cells["computes"].reason == ""


def test_an_optimizer_that_is_none_of_the_known_says_what_is_nearest(rows):
    cell = rows["odd.cubed"].cells["computes"]

    assert cell.value.startswith("none of the known")
    assert "times the bound" in cell.reason


def test_what_raises_costs_its_own_row(rows):
    (alone,) = convention_map(only("clip.plain")).libraries

    assert rows["odd.raising"].cells["computes"] == Cell("", False, "RuntimeError: out of order")
    assert rows["clip.raising"].cells["computes"].reason == "RuntimeError: out of order"
    assert alone.rows == (rows["clip.plain"],)


def test_what_is_declared_in_half_precision_alone_is_not_identified(rows):
    assert rows["odd.half"].cells["computes"].reason == "float64 or float32 must tell, the backend declares bfloat16"


def test_functions_that_are_no_clips_are_named_and_other_devices_left_out(fakes, rows):
    assert fakes.libraries[0].unmapped == ("odd.relu",)
    assert "odd.elsewhere" not in rows


@pytest.mark.parametrize(
    ("label", "cells"),
    [
        (
            "clip.plain",
            {
                "computes": "clip_by_norm",
                "float64": "float64",
                "what fits": "[0.25, -0.5] stays",
                "added to the norm": "0",
                "a matrix": "as one vector",
                "zeros": "[0, 0] stays",
                "an infinite number": "[inf, 1] becomes [nan, 0]",
                "NaN": "[nan, 1] stays",
            },
        ),
        (
            "clip.added",
            {
                "computes": "clip_by_norm_torch",
                "added to the norm": "1e-06",
                "a matrix": "as one vector",
                "an infinite number": "[inf, 1] becomes [nan, 0]",
                "NaN": "[nan, 1] becomes [nan, nan]",
            },
        ),
        ("clip.otherwise", {"computes": "none of the known", "added to the norm": "0.001"}),
        ("clip.rows", {"computes": "clip_by_norm", "a matrix": "each row by itself"}),
        (
            "clip.values",
            {
                "computes": "clip_by_value",
                "added to the norm": "0",
                "a matrix": "number by number",
                "an infinite number": "[inf, 1] becomes [1, 1]",
                "NaN": "[nan, 1] stays",
            },
        ),
    ],
)
def test_a_clip_is_told_cell_by_cell(label, cells, rows):
    told = {name: rows[label].cells[name].value for name in cells}

    assert told == cells


def test_a_clip_that_raises_at_some_inputs_loses_their_cells(rows):
    assert changed(rows, "clip.checked", "clip.values") == {"an infinite number", "NaN"}
    assert rows["clip.checked"].cells["NaN"] == Cell("", False, "RuntimeError: not finite")


def test_what_several_tensors_share_is_not_decided(rows):
    assert not any(row.cells["several tensors"].decided for row in rows.values() if "several tensors" in row.cells)


@pytest.mark.parametrize(
    ("label", "cells"),
    [
        (
            "rate.plain",
            {
                "computes": "schedule_linear_decay_warmup",
                "first rate": "0",
                "warm-up": "from 0, to the peak after n updates",
                "last rate": "0.125",
                "after the end": "stays",
            },
        ),
        (
            "rate.first",
            {
                "computes": "schedule_linear_decay_warmup, but the first step is counted as step 1",
                "first rate": "0.25",
                "warm-up": "from 1/n of the peak, to the peak after n-1 updates",
            },
        ),
        (
            "rate.falling",
            {
                "computes": "schedule_linear_decay_warmup, but the rate goes on falling after the end",
                "last rate": "0.125",
                "after the end": "goes on falling: 0.015625, -0.09375, ...",
            },
        ),
        (
            "rate.onward",
            {
                "computes": "schedule_linear_decay_warmup, but the rate goes on falling after the end",
                "float64": "float64",
            },
        ),
        ("rate.odd", {"computes": "none of the known", "first rate": "0", "last rate": "0.015625"}),
    ],
)
def test_a_schedule_is_told_cell_by_cell(label, cells, rows):
    told = {name: rows[label].cells[name].value for name in cells}

    assert told == cells


def test_every_schedule_of_the_catalogue_has_values_to_try():
    needed = {name for formula in FORMULAS if formula.kind == "schedule" for name in formula.hyperparameters}

    assert needed <= set(SETTINGS)


@dataclass(frozen=True, eq=False)
class Constructed:
    """A factory that says what it calls."""

    constructor: Any
    constants: Mapping[str, Any]
    made: Any

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.made(*arguments, **keywords)


class Library:
    def __init__(self, params, lr, momentum=0.9, betas=(0.9, 0.999), name="x"):
        """Take what an optimizer takes."""


def paths(*made: Any) -> Row | tuple[Row, ...]:
    flags = ("slow", "fast")
    entries = tuple(
        Implementation(
            "momentum_heavy_ball",
            f"library.Ball:{flag}",
            Constructed(Library, {"flag": flag, "nesterov": False}, factory),
            WIDE,
        )
        for flag, factory in zip(flags, made, strict=True)
    )
    return convention_map(Backend("library", "2.0", entries)).libraries[0].rows


def test_paths_that_measure_the_same_are_one_row_with_what_they_share():
    (row,) = paths(speaker(POINTS["ball"]), speaker(POINTS["ball"], "regrouped"))

    assert row.name == "library.Ball"
    assert row.paths == ("slow", "fast")
    assert row.held == {"nesterov": "False"}
    assert row.cells["defaults"] == Cell("momentum=0.9, betas=(0.9, 0.999)")


@pytest.mark.parametrize(
    ("constructor", "cell"),
    [
        (Library, Cell("momentum=0.9, betas=(0.9, 0.999), lr must be given")),
        (lambda lr, *, decay=1e-2: None, Cell("decay=0.01, lr must be given")),
        (lambda lr="auto": None, Cell("no numbers")),
        (min, Cell("", False, "its signature cannot be read: no signature found for builtin <built-in function min>")),
        (Program, Cell("", False, "the backend puts it together, and gives every value")),
    ],
)
def test_defaults_are_read_from_what_the_library_offers_alone(constructor, cell):
    implementation = Implementation("gd", "library", Constructed(constructor, {}, None), WIDE)

    assert defaults(implementation, ("lr",)) == cell


def test_paths_that_measure_otherwise_are_rows_of_their_own():
    slow, fast = paths(speaker(POINTS["ball"]), speaker(POINTS["ball.step"]))

    assert (slow.paths, fast.paths) == (("slow",), ("fast",))
    assert (slow.held["flag"], fast.held["flag"]) == ("'slow'", "'fast'")


def test_a_map_comes_back_from_json_as_it_was(fakes):
    entries = json.loads(fakes.as_json())

    assert read(fakes.as_json()) == fakes
    assert entries["libraries"][0]["environment"]["weather"] == "fair"
    assert entries["libraries"][0]["seed"] == 0


def test_the_same_arguments_give_the_same_map():
    some = only("kept.Stochastic", "clip.added")

    assert convention_map(some, seed=3).as_json() == convention_map(some, seed=3).as_json()


def test_another_seed_tells_the_same(rows):
    some = only("ball", "clip", "rate")
    (library,) = convention_map(some, seed=1).libraries

    assert library.seed == 1
    assert {row.name: row for row in library.rows} == {one.label: rows[one.label] for one in some.implementations}


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "exactstep-conventions", "version": 2, "libraries": []}'])
def test_what_is_no_map_is_not_read(text):
    with pytest.raises(UsageError, match="a convention map must be"):
        read(text)


def test_maps_of_several_environments_are_merged_and_none_twice(fakes):
    other = ConventionMap((replace(fakes.libraries[0], name="others"),))

    assert [library.name for library in merged([fakes, other]).libraries] == ["fakes", "others"]
    with pytest.raises(UsageError, match="got several of fakes"):
        merged([fakes, fakes])


def test_the_page_has_a_table_for_each_family_and_a_note_for_what_is_not_decided(fakes):
    text = markdown(fakes)
    adam = text.split("## Adam\n")[1].split("\n## ")[0]

    assert "**fakes 1.0**, seed 0 (exactstep" in text
    assert "weather fair" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Descent and momentum",
        "## AdaGrad and RMSProp",
        "## Adam",
        "## Optimizers of no known family",
        "## Clips",
        "## Schedules",
    ]
    assert adam.splitlines()[1].startswith("In all rows: second moment: of this step;")
    assert "| inside the root " in adam
    assert ". the backend does not declare it\n" in adam
    widths = {len(line) for line in adam.splitlines() if line.startswith("|")}
    assert len(widths) == 1


MODULE = "tests.conformance.conventions.test_conventions:FAKES"


@pytest.mark.parametrize(
    ("backends", "message"),
    [
        ([], "backends must name one at least"),
        ([FAKES, FAKES], "backends must differ, got fakes, fakes"),
        ("nothing", "backend must be 'module:object' or among"),
    ],
)
def test_backends_that_are_none_are_wrong_usage(backends, message):
    with pytest.raises(UsageError, match=message):
        convention_map(backends)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find a backend of one schedule."""
    monkeypatch.setattr("conformance.conventions.survey.api.plan_of", lambda *_, **__: (only("rate.plain"),))


@pytest.mark.usefixtures("small")
def test_the_command_prints_a_table_or_writes_what_the_ending_says(capsys, tmp_path):
    assert main(["map", "fakes"]) == 0
    assert "| `rate.plain` |" in capsys.readouterr().out
    assert main(["map", "fakes", "--output", str(tmp_path / "map.json")]) == 0
    assert read((tmp_path / "map.json").read_text("utf-8")).libraries[0].name == "fakes"
    assert capsys.readouterr().out == f"  written: {tmp_path / 'map.json'}\n"
    assert main(["map", "fakes", "--format", "json"]) == 0
    assert read(capsys.readouterr().out).libraries[0].version == "1.0"


def test_an_output_of_no_known_form_is_wrong_usage_before_the_work(capsys, tmp_path):
    assert main(["map", "torch", "--output", str(tmp_path / "map.csv")]) == 2
    assert "--output must be a .md or .json file" in capsys.readouterr().err
