"""A formula has several evaluations: the first whose bounds hold is named, if it is stable or claimed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from conformance.api import check, run
from conformance.backends import Backend, Implementation
from conformance.errors import UsageError
from conformance.faults import FAULTS
from conformance.faults.clipping import Clip
from conformance.faults.normalization import BATCH_NORM, LAYER_NORM, STANDARDIZE, Norm, Running
from oracle.catalogue import FORMULAS
from tests.helpers.honest import FORMS, UNSTABLE, by_norm, in_one_pass, one_pass, unshifted_softmax

WAVE = FORMS["schedule_cosine_to_10pct"]


def follows(form: str):
    return judged(WAVE[form], "schedule_cosine_to_10pct", "float64")


def judged(subject: object, formula: str, dtype: str):
    """The record of the differential check."""
    report = check(subject, formula, dtypes=(dtype,))
    (record,) = (record for record in report.checks if record.property == "follows_the_formula")
    return record


@pytest.mark.parametrize(
    ("form", "evaluation"), [("one factor", "schedule_cosine_to_10pct"), ("recursive", "recursive")]
)
def test_the_evaluation_that_contains_all_results_is_named(form, evaluation):
    record = follows(form)

    assert (record.status, record.evaluation) == ("conforms", evaluation)
    assert record.blind_to == ()


def test_a_length_that_is_fixed_is_run_to_its_end():
    def falling(step, peak_value):
        return WAVE["one factor"].body(step, peak_value, 90)

    report = check(falling, "schedule_cosine_to_10pct", dtypes=("float64",), hyperparameters={"decay_steps": 90})

    assert report.status == "conforms"
    assert all(record.ranges["sizes"][0] > 90 for record in report.checks)


def test_a_known_mistake_is_named():
    def by_ten_percent(step, peak_value, decay_steps):
        return peak_value * (0.95 + 0.05 * math.cos(math.pi * min(step, decay_steps) / decay_steps))

    report = check(by_ten_percent, "schedule_cosine_to_10pct", dtypes=("float64",))
    (record,) = (record for record in report.checks if record.property == "follows_the_formula")

    assert record.status == "deviates"
    assert "schedule_cosine_to_10pct_by_10pct: the rate falls by 10 %, not to 10 %" in record.diagnosis


NAMED = [(formula, evaluation, form) for (formula, evaluation), forms in UNSTABLE.items() for form in forms]
unstable = pytest.mark.parametrize(
    ("formula", "evaluation", "form"),
    NAMED,
    ids=[f"{formula}-{evaluation}-{number}" for number, (formula, evaluation, _) in enumerate(NAMED)],
)


def test_every_unstable_evaluation_has_a_program():
    declared = {
        (formula.id, name)
        for formula in FORMULAS
        for name, evaluation in formula.evaluations.items()
        if evaluation.kind == "unstable"
    }

    assert declared == set(UNSTABLE)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@unstable
def test_an_unstable_evaluation_deviates_with_its_name(formula, evaluation, form, dtype):
    record = judged(form, formula, dtype)

    assert record.status == "deviates"
    assert record.diagnosis.startswith(f"this is {formula}, evaluated {evaluation}: ")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@unstable
def test_an_unstable_evaluation_conforms_and_is_named_if_it_is_claimed(formula, evaluation, form, dtype):
    report = check(form, f"{formula}:{evaluation}", dtypes=(dtype,))
    (record,) = (record for record in report.checks if record.property == "follows_the_formula")

    assert [(each.id, each.message) for each in report.checks if each.status != "conforms"] == []
    assert record.evaluation == evaluation
    assert record.blind_to == ()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("claimed", UNSTABLE, ids=":".join)
def test_no_claim_is_alarmed_by_a_claimed_evaluation_in_half_precision(claimed, dtype):
    report = check(UNSTABLE[claimed][0], ":".join(claimed), dtypes=(dtype,))

    assert [each.id for each in report.checks if each.status not in {"conforms", "mistrusted"}] == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("formula", ["softmax", "loss_cross_entropy_gradient"])
def test_an_exponential_of_scores_less_their_logsumexp_conforms_and_is_named(formula, dtype):
    record = judged(FORMS[formula]["logsumexp"], formula, dtype)

    assert (record.status, record.evaluation) == ("conforms", "logsumexp")
    assert record.blind_to == ()
    assert record.unjudged == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_cross_entropy_by_logsumexp_is_as_printed(dtype):
    record = judged(FORMS["loss_cross_entropy"]["logsumexp"], "loss_cross_entropy", dtype)

    assert (record.status, record.evaluation) == ("conforms", "loss_cross_entropy")


@pytest.mark.parametrize(
    ("id", "evaluation"),
    [
        ("softmax_unshifted", "unshifted"),
        ("loss_cross_entropy_unshifted", "unshifted"),
        ("loss_cross_entropy_gradient_unshifted", "unshifted"),
        ("bce_with_logits_overflows", "unshifted"),
        ("bce_with_logits_through_probability", "through_probability"),
        ("sigmoid_overflows", "overflowing"),
        ("silu_overflows", "overflowing"),
        ("gelu_sigmoid_overflows", "overflowing"),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_seeded_fault_that_is_an_unstable_evaluation_is_told_so(id, evaluation, dtype):
    (fault,) = (fault for fault in FAULTS if fault.id == id)
    record = judged(fault.make, fault.formula, dtype)

    assert record.status == "deviates"
    assert record.diagnosis.startswith(f"this is {fault.formula}, evaluated {evaluation}: ")


@pytest.mark.parametrize("form", ["printed", "stable"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_logistic_function_conforms_as_printed_and_by_sign(form, dtype):
    record = judged(FORMS["sigmoid"][form], "sigmoid", dtype)

    assert (record.status, record.evaluation, record.unjudged) == ("conforms", "sigmoid", 0)


def test_other_programs_conform_as_printed_whatever_unstable_evaluation_they_claim():
    for formula, evaluation in (("softmax:unshifted", "softmax"), ("layer_norm:one_pass", "layer_norm")):
        record = judged(next(iter(FORMS[evaluation].values())), formula, "float64")

        assert (record.status, record.evaluation) == ("conforms", evaluation)


def test_a_claimed_evaluation_is_part_of_the_line_that_runs_a_check_again():
    record = judged("tests.helpers.honest:unshifted_softmax", "softmax:unshifted", "float64")

    assert "--as softmax:unshifted " in record.reproduce


def test_an_implementation_of_a_backend_claims_an_evaluation():
    norm = Implementation("layer_norm", "norm", UNSTABLE["layer_norm", "one_pass"][0], ("float64",))
    claiming = replace(norm, label="claiming", evaluation="one_pass")
    mistaken = replace(norm, label="mistaken", evaluation="unshifted")

    report = run(
        Backend("mine", "1", (norm, claiming, mistaken)), select="layer_norm.follows_the_formula", dtypes=("float64",)
    )

    assert [check.status for check in report.checks] == ["deviates", "conforms", "harness-error"]
    assert "the evaluation of layer_norm must be among one_pass, got 'unshifted'" in report.checks[2].message


@pytest.mark.parametrize("claimed", ["softmax:one_pass", "adamw:unshifted", "softmax:", "softmaxx:unshifted"])
def test_what_is_no_evaluation_of_a_formula_cannot_be_claimed(claimed):
    with pytest.raises(UsageError, match=claimed.partition(":")[0]):
        check(unshifted_softmax, claimed)


SCALED = [("clip_by_norm", 0.0), ("clip_by_norm_torch", 1e-6)]


def follows_scaled(body, formula, dtype):
    return judged(Clip(body), f"{formula}:scaled", dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("formula", "added"), SCALED)
def test_a_scaled_norm_conforms_by_that_evaluation_if_it_claims_it_and_else_as_printed(formula, added, dtype):
    claiming = check(Clip(by_norm(added, "scaled norm")), f"{formula}:scaled", dtypes=(dtype,))
    silent = judged(Clip(by_norm(added, "scaled norm")), formula, dtype)
    (record,) = (record for record in claiming.checks if record.property == "follows_the_formula")

    assert [(each.id, each.message) for each in claiming.checks if each.status != "conforms"] == []
    assert (record.evaluation, record.blind_to, record.unjudged) == ("scaled", (), 0)
    assert (silent.status, silent.evaluation) == ("conforms", formula)
    assert silent.unjudged > 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", ["minimum", "quotient"])
@pytest.mark.parametrize(("formula", "added"), SCALED)
def test_a_norm_that_is_not_scaled_conforms_as_printed_and_deviates_if_it_claims_to_be(formula, added, form, dtype):
    claiming = follows_scaled(by_norm(added, form), formula, dtype)

    assert judged(Clip(by_norm(added, form)), formula, dtype).status == "conforms"
    assert claiming.status == "deviates"
    assert claiming.diagnosis.startswith(f"this is {formula} as it is printed, which promises less than scaled (")


def product_first(g, limit):
    """A scaled norm, and a product of gradient and threshold that leaves the range all the same."""
    largest = np.max(np.abs(g), initial=0)
    norm = largest * np.sqrt(np.sum((g / largest) ** 2)) if largest else largest
    return g * limit / norm if norm > limit else g


@pytest.mark.parametrize(
    "body",
    [
        product_first,
        by_norm(1e-6, "scaled norm"),
        lambda g, limit: by_norm(0.0, "scaled norm")(g, limit * g.dtype.type(1.001)),
        lambda g, limit: by_norm(0.0, "scaled norm")(g, limit) * (np.max(np.abs(g), initial=0) > 1e-20),
        lambda g, limit: g,
    ],
    ids=["product first", "a millionth", "a thousandth more", "small is zero", "nothing"],
)
def test_a_wrong_program_that_claims_a_scaled_norm_deviates(body):
    assert follows_scaled(body, "clip_by_norm", "float64").status == "deviates"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(("formula", "added"), SCALED)
def test_a_scaled_norm_is_not_alarmed_in_half_precision(formula, added, dtype):
    report = check(Clip(by_norm(added, "scaled norm")), f"{formula}:scaled", dtypes=(dtype,))

    assert [each.id for each in report.checks if each.status not in {"conforms", "mistrusted"}] == []


def unbiased(moment):
    """The same moment with the divisor n - 1."""
    return lambda x, along: moment(x, along) * x.shape[along["axis"]] / max(x.shape[along["axis"]] - 1, 0.5)


def at(recipe, **parts):
    """A recipe in one pass, with another fault."""
    return Norm(replace(in_one_pass(recipe), **parts))


FAULTY = {
    "layer_norm": {
        "epsilon outside": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment) + eps),
        "epsilon missing": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment)),
        "epsilon tenfold": at(LAYER_NORM, divisor=lambda moment, eps: np.sqrt(moment + 10 * eps)),
        "unbiased": at(LAYER_NORM, moment=unbiased(in_one_pass(LAYER_NORM).moment)),
        "mean kept": at(LAYER_NORM, centre=lambda x, along: 0.0),
        "one is added": at(LAYER_NORM, affine=lambda y, w, b: (1 + w) * y + b),
        "a mean in float16": at(LAYER_NORM, centre=lambda x, along: np.mean(x, dtype=np.float16, **along)),
    },
    "batch_norm": {
        "unbiased": at(BATCH_NORM, moment=unbiased(in_one_pass(BATCH_NORM).moment)),
        "epsilon outside": at(BATCH_NORM, divisor=lambda moment, eps: np.sqrt(moment) + eps),
        "gain squared": at(BATCH_NORM, affine=lambda y, w, b: w * w * y + b),
    },
    "standardize_feature": {
        "unbiased": at(STANDARDIZE, moment=unbiased(in_one_pass(STANDARDIZE).moment)),
        "an epsilon": at(STANDARDIZE, divisor=lambda moment, eps: np.sqrt(moment + 1e-5)),
    },
    "batch_norm_running_variance": {"biased": Norm(Running(one_pass))},
    "batch_norm_running_variance_biased": {
        "one sample too many": Norm(Running(lambda x: one_pass(x) * len(x) / (len(x) + 1))),
        "uncentred": Norm(Running(lambda x: np.mean(x * x, axis=0))),
    },
}


@pytest.mark.parametrize(
    ("formula", "fault"), [(formula, fault) for formula, faults in FAULTY.items() for fault in faults]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_program_in_one_pass_deviates(formula, fault, dtype):
    assert judged(FAULTY[formula][fault], f"{formula}:one_pass", dtype).status == "deviates"
