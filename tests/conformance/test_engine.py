import itertools
import signal
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from conformance.backends import Expectation
from conformance.faults.adam import ADAM
from conformance.faults.programs import Program
from conformance.records import FOLLOWS
from conformance.session import Session
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from oracle.bound import Enclosure
from oracle.catalogue import get
from properties.cases import Step
from properties.catalogue import claims_for
from properties.claims import Space, claim
from properties.optimizers.elementwise import sign_symmetry
from properties.optimizers.lifecycle import any_order, resuming_changes_nothing
from properties.subject import Rejected
from tests.helpers.judging import (
    FEW,
    FEW_CALLS,
    HONEST,
    Spoilt,
    a_training,
    array,
    implementation,
    judged,
    only,
    rule_from,
)

ASCENT = rule_from(lambda theta, g, h: theta + h.learning_rate * g)
COMMON = replace(
    FEW,
    inputs=only(
        a_training({"learning_rate": 1.0, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, params=[0.0], grads=[[1.0]])
    ),
)
DTYPES = ("float64", "float32", "bfloat16", "float16")


def a_claim(check, name="holds", inputs=FEW.inputs):
    return claim(name, kind="invariant", formulas=("gd",), statement="", source="", inputs=inputs, catches=())(check)


def narrow_adam(theta, g, memory, h, t):
    """Adam whose 1 - beta2 is 3e-5 off where a gradient enters, and exact where the average is corrected."""
    weight = float(np.float32(1) - np.float32(h.beta2))
    m = memory["m"] = h.beta1 * memory.get("m", 0 * g) + (1 - h.beta1) * g
    v = memory["v"] = h.beta2 * memory.get("v", 0 * g) + weight * g * g
    return theta - h.learning_rate * (m / (1 - h.beta1**t)) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)


def raising(error):
    def before(subject, grads):
        raise error

    return Spoilt(before)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_honest_program_conforms(dtype):
    record = judged(HONEST, dtype=dtype)

    assert record.status == "conforms"
    assert record.cases == 6
    assert record.judged > 0
    assert record.error_over_bound <= 1
    assert len(record.separated) >= 6
    assert record.blind_to == ()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_an_honest_program_in_a_half_type_never_deviates(dtype):
    record = judged(HONEST, dtype=dtype)

    assert record.status in {"conforms", "mistrusted"}  # few cases are blind to some neighbours
    assert (record.status == "mistrusted") == bool(record.blind_to)
    assert record.error_over_bound <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_wrong_program_deviates(dtype):
    record = judged(ASCENT, dtype=dtype)

    assert record.status == "deviates"
    assert record.error_over_bound > 1
    assert record.precision == ""


def test_a_function_is_judged_too():
    def clip(*, dtype, device):
        return lambda grad, *, clip_value: np.clip(grad, -clip_value, clip_value)

    def one_sided(*, dtype, device):
        return lambda grad, *, clip_value: np.minimum(grad, clip_value)

    assert judged(implementation(clip, "clip_by_value"), (FEW_CALLS,)).status == "conforms"
    assert judged(implementation(one_sided, "clip_by_value"), (FEW_CALLS,)).status == "deviates"


def test_a_deviation_comes_with_a_small_counterexample_in_hex():
    record = judged(ASCENT)

    found = record.counterexample
    training = found["inputs"]["training"]
    assert found["quantity"] == "param"
    assert found["step"] == 1
    assert found["tensor"] == found["index"] == 0
    assert len(training["params"]) == len(training["steps"]) == 1
    assert len(training["params"][0]) == 1
    low, high, came = (float.fromhex(found[name]) for name in ("low", "high", "observed"))
    assert low <= high
    assert not low <= came <= high
    assert float.fromhex(found["error_over_bound"]) > 1


def test_the_first_precision_that_holds_is_named():
    wide, narrow = (implementation(Program(rule), "adam") for rule in (ADAM, narrow_adam))

    assert judged(wide, (COMMON,), dtype="float32").precision == "compute float32, scalars float64"
    assert judged(narrow, (COMMON,), dtype="float32").precision == "compute float32, scalars float32"


def test_only_the_precision_asked_for_is_accepted():
    strict = Precision(FLOAT32, FLOAT32, FLOAT64)
    narrow = implementation(Program(narrow_adam), "adam")

    assert judged(narrow, (COMMON,), dtype="float32", precision=strict).status == "deviates"


def test_a_subject_runs_once_per_case_whatever_the_models():
    session = Session("quick", 0)
    steps = [len(run.steps) for case in session.cases(FEW, get("gd"), "bfloat16") for run in case.runs]
    judged(HONEST, dtype="bfloat16", session=session)

    assert session.counts.subject == sum(steps)


def test_three_implementations_are_judged_for_one_evaluation_of_the_oracle():
    one, three = Session("quick", 0), Session("quick", 0)
    judged(HONEST, session=one)
    for label in "abc":
        judged(implementation(HONEST, label=label), session=three)

    assert three.counts.oracle == one.counts.oracle
    assert three.counts.subject == 3 * one.counts.subject


def test_what_a_subject_raises_is_a_crash_with_its_traceback():
    record = judged(raising(ZeroDivisionError("by my own hand")))

    assert record.status == "crash"
    assert record.message.startswith("ZeroDivisionError: by my own hand")
    assert "judging.py" in record.message
    assert "/" not in record.message.split(" in before")[0]
    assert "inputs" in record.counterexample


def test_a_subject_that_exits_is_a_crash():
    assert judged(raising(SystemExit(3))).status == "crash"


def test_a_subject_that_shows_too_few_parameters_is_a_crash():
    def before(subject, grads):
        subject.params = list

    record = judged(Spoilt(before))

    assert record.status == "crash"
    assert record.message == "showed 0 parameters of 1"


@pytest.fixture
def interrupts():
    """Set what an interrupt does, and put it back."""
    before = signal.getsignal(signal.SIGINT)
    yield lambda handler: signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_is_nobodys_result(interrupts):
    interrupts(signal.default_int_handler)

    with pytest.raises(KeyboardInterrupt):
        judged(raising(KeyboardInterrupt()))


def test_an_interrupt_where_none_arrive_is_the_subjects(interrupts):
    interrupts(signal.SIG_IGN)

    assert judged(raising(KeyboardInterrupt())).status == "crash"


def test_refused_hyperparameters_are_counted():
    def before(subject, grads):
        if subject.options[0].learning_rate > 0.5:
            raise Rejected("too fast for me")

    record = judged(Spoilt(before))

    assert record.status == "conforms"
    assert 0 < record.rejected < record.cases == 6


def test_a_subject_that_refuses_everything_is_mistrusted():
    record = judged(raising(Rejected("no")))

    assert record.status == "mistrusted"
    assert record.message == "the implementation refused the hyperparameters of all 6 cases: no"


def test_a_subject_that_refuses_the_first_cases_is_given_others():
    first = {case.runs[0].params[0].tobytes() for case in Session("quick", 0).cases(FEW, get("gd"), "float64")}

    def refusing(params, groups, *, dtype, device):
        if params[0].tobytes() in first:
            raise Rejected("not these")
        return HONEST(params, groups, dtype=dtype, device=device)

    def ascending(params, groups, *, dtype, device):
        refusing(params, groups, dtype=dtype, device=device)
        return ASCENT(params, groups, dtype=dtype, device=device)

    record = judged(refusing)

    assert record.status == "conforms"
    assert record.rejected < record.cases == 6
    assert judged(ascending).status == "deviates"


def test_what_only_refused_cases_could_tell_apart_goes_unseen():
    def refusing(params, groups, *, dtype, device):
        if params[0].tolist() != [12345.0]:
            raise Rejected("only this one")
        return HONEST(params, groups, dtype=dtype, device=device)

    single = a_training({"learning_rate": 0.5}, params=[12345.0], grads=[[0.0]])
    inputs = {**FEW.inputs(Space(get("gd"), "float64", "quick")), **only(single)(None)}
    record = judged(refusing, (replace(FEW, inputs=lambda space: inputs),))

    assert record.rejected == record.cases - 1
    assert record.status == "mistrusted"
    assert record.blind_to


def test_a_check_that_judges_nothing_is_mistrusted():
    record = judged(HONEST, (a_claim(lambda bench, training: None),))

    assert record.status == "mistrusted"
    assert record.message == "no bound is finite in any of 6 cases"


def test_a_check_whose_elements_may_all_take_any_branch_is_mistrusted():
    anywhere = Enclosure(array(0.0), array(0.5), (Enclosure(array(1.0), array(0.5)),))
    record = judged(HONEST, (a_claim(lambda bench, training: bench.compare(array(0.0), anywhere, quantity="param")),))

    assert record.status == "mistrusted"
    assert record.message == "each of the 6 elements judged may take any branch of a discontinuity"
    assert record.judged == record.undecided == 6


# In the second step the first element's direction cancels, and rounding decides its sign.
CANCELLING = replace(
    FEW,
    name="cancelling",
    formulas=("lion",),
    inputs=only(
        a_training(
            {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "weight_decay": 0.0},
            params=[0.0, 0.0],
            grads=[[1.0, 1.0], [-0.25, 1.0], [1.0, 1.0], [1.0, 1.0]],
        )
    ),
)


def lion_that_takes(sign, last=1.0):
    """Lion that says what sign 0 has in the second step, and how far the last step goes."""

    def rule(theta, g, memory, h, t):
        lengths = {2: np.array([sign, 1.0]), 4: np.array([last, 1.0])}
        return theta - h.learning_rate * lengths.get(t, np.ones(2)).astype(theta.dtype)

    return implementation(Program(rule), formula="lion")


@pytest.mark.parametrize("sign", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_undecided_sign_may_be_any_and_is_counted(sign, dtype):
    record = judged(lion_that_takes(sign), (CANCELLING,), dtype=dtype)

    assert record.status == "conforms"
    assert (record.judged, record.undecided) == (8, 1)


@pytest.mark.parametrize("sign", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_after_an_undecided_sign_the_subject_is_judged_from_where_it_went(sign, dtype, unreduced):
    record = judged(lion_that_takes(sign, last=0.5), (CANCELLING,), dtype=dtype)

    assert record.status == "deviates"
    assert record.counterexample["step"] == 4


@pytest.mark.parametrize("sign", [0.5, -0.25])
def test_between_the_branches_of_a_sign_nothing_is_accepted(sign, unreduced):
    record = judged(lion_that_takes(sign), (CANCELLING,))

    assert record.status == "deviates"
    assert record.counterexample["step"] == 2


def test_a_check_whose_cases_see_no_neighbour_is_mistrusted():
    def resting(space):
        return {
            kind: (share, strategy.map(_without_gradients)) for kind, (share, strategy) in FEW.inputs(space).items()
        }

    record = judged(HONEST, (replace(FEW, inputs=resting),))

    assert record.status == "mistrusted"
    assert record.blind_to
    assert all(name in record.message for name in record.blind_to)


def test_a_result_that_does_not_come_back_is_flaky():
    moods = []

    def before(subject, grads):
        moods.append(len(moods))
        if moods[-1] == 2:
            subject.values[0] = subject.values[0] + 1

    record = judged(Spoilt(before))

    assert record.status == "flaky"
    assert record.message.startswith("failed once, and not again with the same input: param")
    assert record.counterexample["quantity"] == "param"


def test_an_error_of_a_claim_is_ours():
    def check(bench, training):
        bench.train(training)
        raise LookupError("lost")

    record = judged(HONEST, (a_claim(check),))

    assert record.status == "harness-error"
    assert record.message.startswith("LookupError: lost\n")


def test_an_error_of_a_strategy_is_ours():
    def inputs(space):
        raise LookupError("nothing to draw")

    assert judged(HONEST, (a_claim(lambda bench: None, inputs=inputs),)).status == "harness-error"


def test_an_undeclared_dtype_is_unsupported_and_not_counted():
    record = judged(implementation(raising(ValueError()), dtypes=("float64",)), dtype="float16")

    assert record.status == "unsupported"
    assert not record.counted
    assert record.message == "mine declares float64 on cpu"


def known(dtypes=("float64",)):
    return (Expectation(FOLLOWS, dtypes, "it climbs", "seen on 2026-01-01", "1.0"),)


def test_a_known_deviation_is_expected():
    record = judged(implementation(ASCENT, expected=known()))

    assert record.status == "expected-deviation"
    assert record.message.startswith("it climbs (seen on 2026-01-01); param")
    assert record.counterexample["quantity"] == "param"


def test_a_known_deviation_that_is_gone_is_noticed():
    record = judged(implementation(HONEST, expected=known()))

    assert record.status == "unexpected-pass"
    assert record.message == "expected to deviate, and does not: it climbs (seen on 2026-01-01)"


def test_a_known_deviation_excuses_no_crash_and_no_other_dtype():
    assert judged(implementation(raising(ValueError()), expected=known())).status == "crash"
    assert judged(implementation(ASCENT, expected=known(("float32",)))).status == "deviates"


def test_a_claim_about_repetition_sees_two_runs():
    runs = iter(range(1000))

    def check(bench, training):
        first, second = bench.train(training), bench.train(training)
        same = np.array_equal(first.params[-1][0], second.params[-1][0])
        bench.require(bool(same), "two runs differ", quantity="param")

    def before(subject, grads):
        subject.values[0] = subject.values[0] + next(runs)

    assert judged(HONEST, (a_claim(check),)).status == "conforms"
    assert judged(Spoilt(before), (FEW, a_claim(check))).status == "deviates"


def test_a_subject_that_writes_to_its_inputs_spoils_no_case():
    def before(subject, grads):
        for grad in grads:
            np.add(grad, 1e6, out=grad)

    session = Session("quick", 0)
    judged(implementation(Spoilt(before), label="writes"), session=session)

    assert judged(HONEST, session=session).status == "conforms"


def test_a_subject_that_writes_to_its_hyperparameters_is_judged_by_those_it_was_given():
    def doubling(params, groups, *, dtype, device):
        for group in groups:
            group.hyperparameters["learning_rate"] *= 2
        return HONEST(params, groups, dtype=dtype, device=device)

    assert judged(doubling).status == "deviates"


def test_a_subject_may_show_the_very_arrays_that_it_updates():
    class InPlace:
        def __init__(self, params, groups, *, dtype, device):
            self.values = list(params)
            self.rates = [dict(group.hyperparameters) for group in groups]
            self.owner = {tensor: number for number, group in enumerate(groups) for tensor in group.tensors}

        def step(self, grads):
            for tensor, grad in enumerate(grads):
                if grad is not None:
                    self.values[tensor] -= self.rates[self.owner[tensor]]["learning_rate"] * grad

        def params(self):
            return self.values

        def state(self):
            return [{} for _ in self.values]

        def set_hyperparameters(self, group, values):
            self.rates[group].update(values)

    assert judged(InPlace).status == "conforms"


def test_state_of_too_few_parameters_is_a_crash():
    def forgetful(params, groups, *, dtype, device):
        subject = HONEST(params, groups, dtype=dtype, device=device)
        subject.state = list
        return subject

    record = judged(forgetful)

    assert record.status == "crash"
    assert record.message.startswith("showed the state of 0 parameters of ")


def test_declared_state_that_never_shows_is_mistrusted():
    hidden = implementation(Program(ADAM), "adam", state=("exp_avg", "exp_avg_sq"))

    record = judged(hidden)

    assert record.status == "mistrusted"
    assert record.message == "mine declares to show exp_avg, exp_avg_sq, and no case judged it"


def test_a_parameter_that_is_no_number_stays_so_without_a_gradient():
    def before(subject, grads):
        subject.values[0] = np.where(grads[0] is None, subject.values[0], np.nan)

    overflowing = a_training({"learning_rate": 4.0}, params=[6e4], grads=[[-6e4], [6e4]])
    training = replace(overflowing, steps=(*overflowing.steps, Step((None,))))
    record = judged(Spoilt(before), (replace(FEW, inputs=only(training)),), dtype="float16")

    assert record.counterexample is None
    assert record.status == "mistrusted"  # an overflow has no bound


@pytest.mark.parametrize("spoilt_run", [1, 2])
def test_another_shape_in_one_of_two_runs_is_a_deviation(spoilt_run):
    runs = []

    def factory(params, groups, *, dtype, device):
        subject = HONEST(params, groups, dtype=dtype, device=device)
        runs.append(subject)
        if len(runs) % 2 == spoilt_run % 2:
            params = subject.params
            subject.params = lambda: [np.append(param, 0.0) for param in params()]
        return subject

    record = judged(factory, (sign_symmetry,))

    assert record.status == "deviates"
    assert "param of tensor 0 after step 1 has shape" in record.message


@pytest.mark.parametrize(
    "mode", [lambda: np.seterr(all="raise"), lambda: torch.set_flush_denormal(True)], ids=["errors", "flushing"]
)
def test_modes_of_arithmetic_that_a_subject_sets_do_not_reach_the_oracle(mode):
    (differential, *_) = claims_for("gd")

    assert judged(Spoilt(lambda subject, grads: mode()), (differential,)).status == "conforms"


@pytest.mark.parametrize("errors", ["raise", "warn"])
def test_modes_of_arithmetic_that_the_user_has_set_do_not_reach_the_oracle(errors):
    (differential, *_) = claims_for("gd")
    torch.set_flush_denormal(True)
    try:
        with np.errstate(all=errors):
            record = judged(HONEST, (differential,))
    finally:
        torch.set_flush_denormal(False)

    assert record.status == "conforms"


def test_what_a_subject_prints_is_noted_and_not_shown(capsys):
    record = judged(Spoilt(lambda subject, grads: print("step\nby step")))

    assert capsys.readouterr().out == ""
    assert record.message.startswith("printed 'step' and ")


def test_warnings_of_a_subject_raise_nothing():
    record = judged(Spoilt(lambda subject, grads: warnings.warn("careful", stacklevel=1)))

    assert record.status == "conforms"


def test_random_subjects_give_the_same_record_every_time():
    def before(subject, grads):
        subject.values[0] = subject.values[0] + np.random.normal()  # noqa: NPY002 - the state that subjects use

    assert judged(Spoilt(before)) == judged(Spoilt(before))


def test_a_fixed_hyperparameter_replaces_drawn_ones_and_is_never_varied():
    rates = []
    factory = Spoilt(lambda subject, grads: rates.append(subject.options[0].learning_rate))

    def check(bench, training):
        hasty = replace(training.groups[0], hyperparameters={"learning_rate": 0.75})
        bench.train(replace(training, groups=(hasty,)))

    entry = implementation(factory, fixed={"learning_rate": 0.25})
    assert judged(entry).status == "conforms"
    assert set(rates) == {0.25}
    assert judged(entry, (a_claim(check),)).rejected == 6


def test_the_ranges_that_were_drawn_are_recorded():
    record = judged(HONEST)

    assert set(record.ranges) == {"learning_rate", "sizes", "steps"}
    assert 1 <= record.ranges["steps"][0] <= record.ranges["steps"][1] <= 3


def test_scalars_in_float32_are_named_in_float64():
    narrow = rule_from(lambda theta, g, h: theta - float(np.float32(h.learning_rate)) * g)
    record = judged(narrow)

    assert record.status == "deviates"
    assert record.diagnosis.startswith("scalars in float32")
    assert judged(narrow, precision=Precision(FLOAT64, FLOAT64, FLOAT32)).status == "conforms"


def _without_gradients(inputs):
    training = inputs["training"]
    steps = tuple(replace(step, grads=tuple(0 * grad for grad in step.grads)) for step in training.steps)
    return {"training": replace(training, steps=steps)}


def test_what_a_subject_does_not_offer_is_unsupported_and_not_counted():
    def bare(params, groups, *, dtype, device):
        return HONEST(params, groups, dtype=dtype, device=device)

    record = judged(bare, [resuming_changes_nothing])

    assert record.status == "unsupported"
    assert not record.counted
    assert record.message == "mine does not offer resumed"


def test_a_record_tells_what_programs_went_through_and_what_was_left_out():
    def bare(params, groups, *, dtype, device):
        return HONEST(params, groups, dtype=dtype, device=device)

    bare.offers = ("resumed", "copied", "maximize")

    whole, record = judged(HONEST, [any_order]), judged(bare, [any_order])

    assert whole.status == record.status == "conforms"
    assert whole.exercised == tuple(sorted(any_order.uses))
    assert whole.left_out == ()
    assert record.exercised == ("copied", "maximize", "resumed")
    assert {*record.left_out} == {*any_order.uses} - {*bare.offers}


def test_what_is_left_out_of_a_program_changes_no_enclosure():
    session = Session("quick", 0)
    training = session.cases(any_order, get("gd"), "float64")[0].inputs["training"]
    enclosures = session.enclosures(get("gd"), training, Precision(FLOAT64, FLOAT64, FLOAT64))

    assert session.enclosures(get("gd"), training.restricted(()), Precision(FLOAT64, FLOAT64, FLOAT64)) is enclosures


def test_who_ends_elsewhere_when_the_same_training_is_repeated_is_flaky():
    made = itertools.count()

    def drifting(params, groups, *, dtype, device):
        drift = next(made)
        return HONEST([param + drift for param in params], groups, dtype=dtype, device=device)

    drifting.offers = ("resumed",)

    record = judged(drifting, [resuming_changes_nothing])

    assert record.status == "flaky"
    assert record.message.startswith("the same training ended otherwise when it was repeated: tensor 0 is ")
    assert record.counterexample is not None
