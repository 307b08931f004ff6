"""Functions and schedules are named from what they return; what is like nothing known is not guessed."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import UsageError, identify
from conformance.backends import Implementation
from conformance.cli import main
from conformance.faults import FAULTS
from conformance.identification.identifier import Identifier
from conformance.identification.results import exit_code
from conformance.session import Session
from oracle.catalogue import get
from oracle.dialects import VARIANTS
from properties.subject import Rejected
from tests.helpers.functions import IDENTIFIABLE, Called, evaluated, honest

pytest.importorskip("torch")

from tests.helpers.functions_of_torch import TORCH

DTYPES = ("float64", "float32")
SLIPS = list({variant.id: variant for variant in reversed(VARIANTS) if variant.evaluates is None}.values())
FUNCTION_FAULTS = [fault for fault in FAULTS if get(fault.formula) in IDENTIFIABLE]

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(scope="module")
def identifier():
    """What is known of one target's rivals serves for the next."""
    return Identifier(Session("quick", 0))


def found_of(identifier, target, dtype="float64"):
    return identifier.identify(target, dtypes=(dtype,), fixed={})


# -- Every formula, in every form that the suite has -----------------------------------------------------------------


@every_dtype
@pytest.mark.parametrize("formula", IDENTIFIABLE, ids=lambda formula: formula.id)
def test_an_honest_program_is_named_as_its_formula(formula, dtype, identifier, draws, outcomes):
    programs = list(honest(formula, draws(1, 12)))
    for name, program in programs[: draws(2, len(programs))]:
        found = found_of(identifier, program, dtype)
        outcomes(found.outcome, right=found.formula == formula.id)

        assert found.formula == formula.id, (name, found.summary())
        assert found.source == formula.source


@every_dtype
def test_a_program_of_an_evaluation_is_named_as_that_or_as_the_formula(dtype, identifier, draws, outcomes):
    unstable = set()
    for formula, evaluation, name, program in list(evaluated())[:: draws(14, 1)]:
        found = found_of(identifier, program, dtype)
        told = {dialect.partition(": ")[0] for dialect in found.dialects}
        right = bool(told & {formula.id, f"{formula.id}:{evaluation}"})
        outcomes(found.outcome, right=right)
        unstable.add(":" in found.formula)

        assert right, (formula, evaluation, name, found.summary())
    assert unstable == {True, False}


# -- Every neighbour, and every seeded fault -------------------------------------------------------------------------


def bodied(variant):
    """A factory of the body of a variant, evaluated by numpy."""

    def make(dtype):
        def call(*arrays, **hyperparameters):
            form = variant.formula
            hyperparameters |= {name: int(hyperparameters[name]) for name in form.lengths}
            if form.kind == "schedule":
                return np.array([form.body(int(step), **hyperparameters) for step in arrays[0]], dtype=np.float64)
            types = [np.int64 if name in form.integers else dtype for name in form.arrays]
            with np.errstate(all="ignore"):
                values = (array.astype(kind) for array, kind in zip(arrays, types, strict=True))
                return form.body(*values, **hyperparameters)

        return call

    return Called(variant.base, make)


@every_dtype
def test_a_neighbour_is_named_as_what_it_is(dtype, identifier, draws, outcomes):
    for variant in SLIPS[:: draws(24, 1)]:
        found = found_of(identifier, bodied(variant), dtype)
        right = found.outcome != "identified" or any(told.startswith(f"{variant.id}:") for told in found.dialects)
        outcomes(found.outcome, right=right)

        assert right or _equal(variant, found.formula), (variant.id, found.summary())


#: Neighbours with the values of something else.
EQUAL = {"softmax_independent": "sigmoid"}


def _equal(variant, id):
    return EQUAL.get(variant.id) == id


#: Only a property of the formula shows it, with a weight that no input of the differential claim has.
UNSEEN = ("loss_combined_weight_floored",)


def test_no_seeded_fault_is_named_as_the_formula_that_it_claims(identifier, draws, outcomes):
    for fault in FUNCTION_FAULTS[:: draws(24, 1)]:
        dtype = fault.dtypes[0]
        if fault.beyond or fault.id in UNSEEN or dtype not in DTYPES:
            continue
        found = found_of(identifier, fault.make, dtype)
        narrow = found.precision.get(dtype, "").endswith("float32)")  # which is what is wrong with some
        outcomes(found.outcome, right=narrow or found.formula != fault.formula)

        assert narrow or found.formula != fault.formula, (fault.id, found.summary())


@pytest.mark.parametrize(
    "id",
    [
        "relu_beyond_1024_passes",
        "sigmoid_beyond_1024_passes",
        "clip_begins_late",
        "clip_by_value_huge_passes",
        "clip_norm_of_first_4096",
        "bce_with_logits_gradient_one_beyond_20",
        "lstm_cell_cell_clipped_at_10",
        "ffn_swiglu_cut_off",
    ],
)
def test_what_departs_here_and_there_is_no_known_function(id, identifier):
    (fault,) = (fault for fault in FAULTS if fault.id == id)

    found = found_of(identifier, fault.make)

    assert found.outcome == "none of the known", found.summary()
    assert found.precision == {}


# -- What nobody has told us about -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / (1 + np.abs(x)),
        lambda x: x * np.tanh(np.logaddexp(0, x)),
        lambda x: (x + np.sqrt(x * x + 4)) / 2,
        np.arcsinh,
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.maximum(x, 0.02 * x),
        np.sin,
        lambda x: x - np.mean(x, axis=0, keepdims=True) / 2,
        lambda p, y: np.mean(np.where(np.abs(p - y) < 1, (p - y) ** 2 / 2, np.abs(p - y) - 0.5)),
        lambda p, y: np.mean(np.log(np.cosh(p - y))),
        lambda p, y: np.mean(np.maximum(0, 1 - p * y)),
        lambda x, weight, bias, eps: weight * x / (np.abs(x).mean(-1, keepdims=True) + eps) + bias,
        lambda grad, max_norm: grad * np.tanh(max_norm / np.maximum(np.linalg.norm(grad), 1e-300)),
        lambda step, lr: lr * 0.9**step,
        lambda step, peak_value, decay_steps: peak_value * (1 - min(step, decay_steps) / decay_steps) ** 2,
    ],
    ids=[
        *("softsign", "mish", "squareplus", "arcsinh", "elu", "leaky by a fiftieth", "sine", "centred"),
        *("mean huber", "log-cosh", "hinge", "mean modulus norm", "smooth clipping", "exponential decay", "polynomial"),
    ],
)
def test_what_is_like_nothing_known_is_not_guessed(function, identifier):
    found = found_of(identifier, function)

    assert found.outcome == "none of the known", found.summary()
    assert found.formula == ""
    assert exit_code(found) == 1
    _, departure = found.excluded[0]
    assert departure.error_over_bound > 1
    assert "    nearest       " in found.summary()


def test_what_is_drawn_at_random_is_not_guessed(identifier):
    random = np.random.default_rng(0)

    assert found_of(identifier, lambda x: x * (random.random(x.shape) < 0.5)).outcome == "none of the known"


# -- PyTorch's own functions, in plain functions ---------------------------------------------------------------------


@pytest.mark.parametrize("formula", TORCH)
def test_functions_of_torch_are_identified(formula, identifier):
    found = identifier.identify(TORCH[formula], fixed={})

    assert found.formula == formula, found.summary()
    assert list(found.precision) == ["float64", "float32"]
    assert found.proof is not None


# -- How a target is called ------------------------------------------------------------------------------------------


def test_a_hyperparameter_without_a_name_is_given_by_its_place(identifier):
    found = found_of(identifier, lambda g, c: np.clip(g, -c, c))

    assert found.formula == "clip_by_value"
    assert dict(found.matching) == {"clip_value": "c"}


def test_what_is_not_offered_has_a_customary_value(identifier):
    found = found_of(identifier, lambda x, weight: weight * x / np.sqrt(np.mean(x * x, -1, keepdims=True) + 1e-6))

    assert found.formula == "rms_norm"
    assert dict(found.held) == {"eps": 1e-6}


def test_a_value_of_its_own_can_be_given(identifier):
    def norm(x, weight):
        return weight * x / np.sqrt(np.mean(x * x, -1, keepdims=True) + 3e-4)

    assert found_of(identifier, norm).outcome == "none of the known"
    assert identifier.identify(norm, dtypes=("float64",), fixed={"eps": 3e-4}).formula == "rms_norm"


def test_defaults_are_read_and_other_keywords_left_alone(identifier):
    def rate(step, max_lr, T_max, verbose=3, **_):
        return max_lr * (0.55 + 0.45 * math.cos(math.pi * min(step, T_max) / T_max))

    found = found_of(identifier, rate)

    assert found.formula == "schedule_cosine_to_10pct"
    assert dict(found.matching) == {"peak_value": "max_lr", "decay_steps": "T_max"}
    assert dict(found.left) == {"verbose": "3"}


def test_the_default_of_a_hyperparameter_is_tried_as_well(identifier):
    def norm(x, weight, eps=1e-6):
        eps = 2 * eps if eps == 1e-6 else eps
        return weight * x / np.sqrt(np.mean(x * x, -1, keepdims=True) + eps)

    found = found_of(identifier, norm)

    assert found.outcome == "none of the known"
    assert any("eps = 1e-06" in departure.given for _, departure in found.excluded)


def test_an_array_that_may_be_left_out_is_given(identifier):
    def norm(x, weight=None, bias=None, eps=1e-5):
        middle = np.mean(x, -1, keepdims=True)
        normalized = (x - middle) / np.sqrt(np.mean((x - middle) ** 2, -1, keepdims=True) + eps)
        return normalized if weight is None else normalized * weight + bias

    assert found_of(identifier, norm).formula == "layer_norm"


def test_a_partial_function_is_one_of_what_is_left(identifier):
    found = found_of(identifier, functools.partial(lambda sharpness, x: 1 / (1 + np.exp(-sharpness * x)), 1.0))

    assert found.formula == "sigmoid"


def test_candidates_are_chosen_by_the_signature_and_not_by_the_name(identifier):
    def gelu(x):
        return x / (1 + np.exp(-x))

    assert found_of(identifier, gelu).formula == "silu"


def test_an_implementation_is_identified_whatever_it_claims(identifier):
    _, factory = next(honest(get("clip_by_norm"), 0))
    claiming = Implementation("clip_by_value", "some", renamed(factory, {"clip_value": "max_norm"}), DTYPES)

    found = found_of(identifier, claiming)

    assert found.formula == "clip_by_norm"
    assert dict(found.matching) == {"max_norm": "clip_value"}


def renamed(factory, names):
    def make(*, dtype, device):
        function = factory(dtype=dtype, device=device)
        return lambda *arrays, **values: function(*arrays, **{names[name]: value for name, value in values.items()})

    return make


def test_schedulers_of_torch_are_identified_whatever_they_claim(identifier):
    from conformance.backends.torch_schedules import schedules

    told = {}
    for implementation in schedules():
        found = found_of(identifier, replace(implementation, expected=()))
        told[implementation.label.removeprefix("torch.optim.lr_scheduler.")] = found.formula

    assert (
        told.pop("CosineAnnealingLR")
        == told.pop("CosineAnnealingLR:reloaded")
        == ("schedule_cosine_to_10pct_rises_again")
    )
    assert set(told.values()) == {
        "schedule_constant",
        "schedule_triangular",
        "schedule_cosine_restarts",
        "schedule_linear_decay_warmup",
        "schedule_reduce_on_plateau",
    }


# -- What is told ----------------------------------------------------------------------------------------------------


def test_equal_candidates_are_one_answer(identifier):
    found = found_of(identifier, lambda x: 1 / (1 + np.exp(-x)))

    assert found.identified
    assert found.dialects == ("sigmoid: Map every number to a proportion by the logistic function.",)


def test_a_slip_is_named_in_words(identifier):
    found = found_of(identifier, lambda x: np.clip(x, 0, 6))

    assert found.formula == "relu_capped"
    assert "    that is       relu, but large numbers become 6\n" in found.summary()
    assert found.source == ()


def test_what_is_refused_may_leave_several_and_says_so(identifier):
    def cautious(x):
        if np.any(x > 6):
            raise ValueError("too large")
        return np.maximum(x, 0)

    found = found_of(identifier, cautious)

    assert found.outcome == "undecided"
    assert found.dialects[0].startswith("relu: ")
    assert "or one of 1 known slips" in found.summary()
    assert any(name.startswith("huge") for name in found.refused)
    assert exit_code(found) == 4


def test_what_answers_few_inputs_is_not_taken_for_anything(identifier):
    def fussy(x):
        if x.size != 1:
            raise ValueError("one number only")
        return np.maximum(x, 0)

    found = found_of(identifier, fussy)

    assert found.outcome == "crash"
    assert "one number only" in found.summary()
    assert exit_code(found) == 1


def test_what_refuses_hyperparameters_is_not_taken_for_anything(identifier):
    def refusing(*, dtype, device):
        def call(*arrays, **hyperparameters):
            raise Rejected("nothing pleases it")

        return call

    assert found_of(identifier, refusing).message == "most inputs were refused"


def test_a_result_of_another_shape_is_a_departure(identifier):
    found = found_of(identifier, lambda x: np.maximum(x, 0)[None])

    assert found.outcome == "none of the known"
    assert any(departure.shapes for _, departure in found.excluded)
    assert "has shape (1, " in " ".join(str(departure) for _, departure in found.excluded)


def test_what_is_another_function_in_float32_is_no_known_one(identifier):
    found = identifier.identify(lambda x: np.maximum(x, 0) * (2 if x.dtype == np.float32 else 1), fixed={})

    assert found.outcome == "none of the known"
    assert found.message.startswith("in float64 it is relu: ")
    assert "in float32 it departs: the result of" in found.message


def test_narrow_arithmetic_in_a_wide_run_is_named_and_so_is_the_function(identifier):
    def narrow(x):
        single = x.astype(np.float32)
        return (single / (1 + np.exp(-single))).astype(x.dtype)

    found = found_of(identifier, narrow)

    assert found.formula == "silu"
    assert found.precision["float64"].endswith("(computed in float32)")


def test_the_last_rival_is_told_with_the_input_that_told_it_apart(identifier):
    found = found_of(identifier, lambda x: x / (1 + np.exp(-x)))
    proof = found.proof

    assert f"told apart by the result of {proof.probe!r}, x = {proof.run.arrays[0].tolist()}"[:70] in found.summary()
    assert proof.answer[0] <= proof.observed <= proof.answer[1]
    assert not proof.rivals[0] <= proof.observed <= proof.rivals[1]


def test_the_same_arguments_give_the_same_answer():
    def rate(step, lr):
        return lr

    once, again = (identify(rate, "schedules", seed=3) for _ in range(2))

    assert once.as_json() == again.as_json()


def test_the_answer_does_not_depend_on_the_seed():
    assert identify(TORCH["gelu"], seed=1, dtypes=["float64"]).formula == "gelu"


# -- Where to look, and wrong usage ----------------------------------------------------------------------------------


def test_where_to_look_can_be_said():
    assert identify(lambda t, lr: lr, "schedules", dtypes=["float64"]).formula == "schedule_constant"
    assert identify(TORCH["relu"], "schedules", dtypes=["float64"]).outcome != "identified"


@pytest.mark.parametrize(
    ("target", "arguments", "message"),
    [
        (lambda a, b, c, d, e, f, g, h: a, {}, "takes the arrays and hyperparameters of no function"),
        (TORCH["relu"], {"family": "adam"}, "target must be a subclass of torch"),
        (type("Layer", (), {}), {}, "target must be a subclass of torch"),
        (TORCH["relu"], {"hyperparameters": {"sharpness": 1.0}}, "hyperparameters must be among .* got sharpness"),
    ],
    ids=["too much", "no optimizer", "a class", "no hyperparameter"],
)
def test_wrong_usage_is_told(target: Any, arguments: dict[str, Any], message: str):
    with pytest.raises(UsageError, match=message):
        identify(target, **arguments)


def test_the_command_names_a_function(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("def rate(step, lr, T_max):\n    return lr * (1 - 0.9 * min(step, T_max) / T_max)\n")

    assert main(["identify", f"{path}:rate", "--family", "schedules"]) == 0
    assert capsys.readouterr().out.startswith(f"{path}:rate  this is schedule_cosine_to_10pct_straight\n")
