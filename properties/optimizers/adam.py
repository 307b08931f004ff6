"""Claims about the family of Adam: bias correction, the size of a step, and the penalty's part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from oracle.arithmetic.balls import BallArray, abs_upper, balls, working_precision
from oracle.arithmetic.formats import FLOAT32, FORMATS
from oracle.arithmetic.primitives import namespace
from oracle.bound import Enclosure
from oracle.optimizers.step_bound import step_bound as longest_ratio
from properties.cases import Step, Training
from properties.claims import Bench, Space, claim
from properties.margins import PRECISION_BITS, slack, total
from properties.optimizers.common import (
    compare_positions,
    compare_runs,
    mapped,
    planted,
    with_constant_gradients,
    with_zero_gradients,
    without_decay,
)
from properties.strategies.hyperparameters import STEERING, decay_factor, steered_hyperparameters
from properties.strategies.inputs import Inputs, keyword, trained
from properties.strategies.numbers import few_digits
from properties.strategies.trainings import Plan, planned_trainings
from properties.subject import Group

__all__ = [
    "bias_correction",
    "first_step_ignores_betas",
    "lone_gradient",
    "penalty_alone",
    "scale_invariance",
    "step_bound",
    "step_bound_attained",
    "within_the_box",
]

_ADAMS = ("adam", "adam_eps_hat", "adamw", "adamw_paper_scaling")
_PLAN = Plan(8, steps=(1, 10), narrow_steps=(1, 3))
#: Pairs whose quotient is a power of two: their geometric gradients are exact in every format.
_DYADIC = ((0.25, 0.5), (0.375, 0.75), (0.5, 0.25), (0.125, 0.5))
#: Betas that let a twelfth step be 34 times the learning rate.
_STEEP = ((0.5, 0.125),)
_CUSTOMARY = ((0.9, 0.999), (0.9, 0.95), (0.5, 0.75))


def _weight(beta: BallArray, step: int, age: int = 0) -> BallArray:
    """Weight in the corrected average after ``step`` steps of a gradient that came ``age`` steps ago."""
    weight: BallArray = (1 - beta) * beta**age / (1 - beta**step)
    return weight


def _rate(values: Mapping[str, float]) -> BallArray:
    rate: BallArray = balls(values["learning_rate"]) * balls(values.get("schedule_multiplier", 1.0))
    return rate


def _effective_eps(formula: str, values: Mapping[str, float], step: int) -> BallArray:
    r"""Return what is added to :math:`\sqrt{\hat v_t}`."""
    eps = balls(values["eps"])
    return eps / _sqrt(1 - balls(values["beta2"]) ** step) if formula == "adam_eps_hat" else eps


def _sqrt(ball: BallArray) -> BallArray:
    root: BallArray = namespace(ball).sqrt(ball)
    return root


@claim(
    "bias_correction",
    kind="invariant",
    formulas=_ADAMS,
    statement=r"g_t = g \implies \theta_t - \theta_{t-1} = -\eta_t \frac{g}{\lvert g \rvert + \epsilon} "
    r"\text{ for every } t, \beta_1, \beta_2",
    source="lopesquintas2024updates, Adam : correction du biais de l'initialisation",
    inputs=trained(_PLAN, lambda training: without_decay(with_constant_gradients(training))),
    catches=(
        "adam_no_bias_correction",
        "adam_first_moment_uncorrected",
        "adam_second_moment_uncorrected",
        "adam_step_from_two",
        "adam_second_correction_off_by_one",
        "adam_bias_correction_multiplied",
        "adam_eps_inside_root",
        "adam_eps_hat_for_eps",
        "adam_eps_missing",
        "adam_eps_subtracted",
        "adam_eps_as_floor",
        "adam_eps_ten_times_too_large",
        "adam_second_moment_decays_with_beta1",
        "adam_absolute_gradient",
        "adam_second_moment_of_first_moment",
        "adam_first_weight_missing",
        "adam_second_weight_missing",
        "adam_second_moment_averaged_over_tensor",
        "adam_moments_shared_in_row",
        "adam_no_root",
        "adam_beta2_slightly_off",
        "adam_lagging_first_moment",
        "adam_lagging_second_moment",
        "adam_nesterov",
        "adam_ascends",
        "adam_learning_rate_slightly_off",
        "adam_scalars_in_float32",
        "adam_float32_state",
        "adam_learning_rate_change_ignored",
        "adamw_last_of_odd_forgotten",
        *planted(_ADAMS[1:], "no_bias_correction"),
    ),
    varies=("weight_decay",),
)
def bias_correction(bench: Bench, *, training: Training) -> None:
    """Under a constant gradient every step is the same, the first as the last: the averages are unbiased."""
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number, (step, values) in enumerate(zip(training.steps, training.hyperparameters(), strict=True)):
            for tensor, grad in enumerate(step.grads):
                if grad is not None:
                    eps = _effective_eps(bench.formula.id, values[tensor], number + 1)
                    update = balls(grad) / (abs(balls(grad)) + eps)
                    params[tensor] = params[tensor] - _rate(values[tensor]) * update
            positions.append(list(params))
        compare_positions(bench, training, positions, "a constant gradient did not move every step by the same")


@claim(
    "first_step_ignores_betas",
    kind="metamorphic",
    formulas=("adam", "adamw", "adamw_paper_scaling", "adam_bourmaud_literal_k1"),
    statement=r"\theta_1(\beta_1, \beta_2) = \theta_1(\tfrac12, \tfrac34)",
    source="lopesquintas2024updates, Adam : combiner AdaGrad et RMSProp, at t = 1",
    inputs=trained(Plan(6, steps=(1, 1), narrow_steps=(1, 1))),
    catches=(
        "adam_no_bias_correction",
        "adam_first_moment_uncorrected",
        "adam_second_moment_uncorrected",
        "adam_step_from_two",
        "adam_second_correction_off_by_one",
        "adam_bias_correction_multiplied",
        "adam_eps_hat_for_eps",
        "adam_second_moment_of_first_moment",
        "adam_first_weight_missing",
        "adam_second_weight_missing",
        "adam_nesterov",
        "adamw_decay_bias_corrected",
        "adam_bourmaud_step_from_two",
        "adam_bourmaud_uncorrected",
        "adamw_no_bias_correction",
        "adamw_paper_scaling_no_bias_correction",
    ),
    varies=("beta1", "beta2"),
)
def first_step_ignores_betas(bench: Bench, *, training: Training) -> None:
    """Where the first step leads does not depend on the betas."""
    other = mapped(training, values=lambda table: {**table, "beta1": 0.5, "beta2": 0.75})
    first, second = bench.train(training).params[0], bench.train(other).params[0]
    bounds, other_bounds = bench.enclosures(training)[0], bench.enclosures(other)[0]
    for tensor, shown in enumerate(first):
        allowed = total(slack(bounds[tensor][0]), slack(other_bounds[tensor][0]))
        expected = Enclosure(value=balls(second[tensor]), error=allowed)
        note = "the first step depends on the betas"
        bench.compare(shown, expected, quantity="param", step=1, tensor=tensor, note=note)


def _with_a_lone_gradient(training: Training) -> Training:
    """Make all gradients zero but those of one step, in the middle."""
    steps = [replace(step, grads=tuple(np.zeros_like(grad) for grad in step.grads)) for step in training.steps]
    steps[len(steps) // 2] = training.steps[len(steps) // 2]
    return without_decay(replace(training, steps=tuple(steps)))


@claim(
    "lone_gradient",
    kind="invariant",
    formulas=_ADAMS,
    statement=r"g_i = 0 \text{ for } i \ne s \implies \theta_t - \theta_{t-1} = -\eta_t "
    r"\frac{a_s g_s}{\sqrt{b_s} \lvert g_s \rvert + \epsilon}, \quad "
    r"a_s = \frac{(1 - \beta_1) \beta_1^{t-s}}{1 - \beta_1^t}, \ "
    r"b_s = \frac{(1 - \beta_2) \beta_2^{t-s}}{1 - \beta_2^t}",
    source="lopesquintas2024updates, Adam : combiner AdaGrad et RMSProp, unrolled for a single gradient",
    inputs=trained(Plan(8, steps=(2, 10), narrow_steps=(2, 3)), _with_a_lone_gradient),
    catches=(
        "adam_no_bias_correction",
        "adam_first_moment_uncorrected",
        "adam_second_moment_uncorrected",
        "adam_step_from_two",
        "adam_second_correction_off_by_one",
        "adam_bias_correction_multiplied",
        "adam_eps_inside_root",
        "adam_eps_hat_for_eps",
        "adam_eps_missing",
        "adam_zero_over_zero",
        "adam_eps_subtracted",
        "adam_eps_as_floor",
        "adam_eps_ten_times_too_large",
        "adam_betas_swapped",
        "adam_second_moment_decays_with_beta1",
        "adam_absolute_gradient",
        "adam_second_moment_of_first_moment",
        "adam_first_weight_missing",
        "adam_second_weight_missing",
        "adam_second_moment_averaged_over_tensor",
        "adam_moments_shared_in_row",
        "adam_no_root",
        "adam_beta2_slightly_off",
        "adam_lagging_first_moment",
        "adam_lagging_second_moment",
        "adam_amsgrad",
        "adam_nesterov",
        "adam_ascends",
        "adam_learning_rate_slightly_off",
        "adam_zero_gradient_skipped",
        "adam_scalars_in_float32",
        "adam_float32_state",
        "adam_learning_rate_change_ignored",
        "adam_rests_without_gradient",
        "adamw_last_of_odd_forgotten",
        *planted(_ADAMS[1:], "no_bias_correction"),
    ),
    varies=("weight_decay",),
)
def lone_gradient(bench: Bench, *, training: Training) -> None:
    """A single gradient moves nothing before it comes, and fades from each average at that average's rate."""
    came = len(training.steps) // 2
    with working_precision(PRECISION_BITS):
        params = [balls(param) for param in training.params]
        positions = []
        for number, values in enumerate(training.hyperparameters()):
            for tensor, grad in enumerate(training.steps[came].grads):
                if grad is not None and number >= came:
                    table, age = values[tensor], number - came
                    first = balls(grad) * _weight(balls(table["beta1"]), number + 1, age)
                    root = abs(balls(grad)) * _sqrt(_weight(balls(table["beta2"]), number + 1, age))
                    update = first / (root + _effective_eps(bench.formula.id, table, number + 1))
                    params[tensor] = params[tensor] - _rate(table) * update
            positions.append(list(params))
        compare_positions(bench, training, positions, "a single gradient did not fade as its weights do")


@st.composite
def _geometric_trainings(
    draw: DrawFn, space: Space, pairs: tuple[tuple[float, float], ...], shortest: int = 2
) -> Training:
    r"""Draw trainings with :math:`g_i \propto (\beta_1 / \beta_2)^{T - i}`, the gradients of the largest step."""
    form, steering = FORMATS[space.dtype], STEERING[space.dtype]
    narrow = form.bits < FLOAT32.bits
    beta1, beta2 = draw(st.sampled_from(pairs))
    longest = 3 if narrow else 12
    length = draw(st.integers(min(shortest, longest), longest))
    scale = draw(st.sampled_from(steering.scales[:1] if narrow else (1.0, 0.25, 64.0)))
    drawn = draw(steered_hyperparameters(space.formula, space.dtype, scale, 0.0))
    steered = {"beta1": beta1, "beta2": beta2, "eps": few_digits(scale * (0.125 if narrow else 1e-3))}
    sign = draw(st.sampled_from((1.0, -1.0)))
    grads = [form.round(np.array([sign * scale * (beta1 / beta2) ** (length - step)])) for step in range(1, length + 1)]
    steps = tuple(Step((grad,)) for grad in grads)
    return without_decay(Training((np.zeros(1),), (Group((0,), {**drawn, **steered}),), steps))


def _bound_inputs(space: Space) -> Inputs:
    return {
        "trainings": (4, keyword("training", planned_trainings(space.formula, space.dtype, _PLAN).map(without_decay))),
        "geometric": (6, keyword("training", _geometric_trainings(space, _CUSTOMARY))),
    }


@claim(
    "step_bound",
    kind="invariant",
    formulas=_ADAMS,
    statement=r"\lvert \theta_t - \theta_{t-1} \rvert \le \eta_t C_t, \quad C_t = \frac{1 - \beta_1}{1 - \beta_1^t} "
    r"\sqrt{\frac{1 - \beta_2^t}{1 - \beta_2} \sum_{j < t} \Big( \frac{\beta_1^2}{\beta_2} \Big)^j}",
    source="lopesquintas2024updates, Adam : interprétation du learning rate, made sharp by the Cauchy-Schwarz inequality",
    inputs=_bound_inputs,
    catches=(
        "adam_no_bias_correction",
        "adam_second_moment_uncorrected",
        "adam_step_from_two",
        "adam_second_correction_off_by_one",
        "adam_eps_subtracted",
        "adam_second_moment_decays_with_beta1",
        "adam_absolute_gradient",
        "adam_second_moment_of_first_moment",
        "adam_first_weight_missing",
        "adam_no_root",
        "adam_lagging_second_moment",
        "adam_nesterov",
        "adam_learning_rate_change_ignored",
        *planted(_ADAMS[1:], "no_bias_correction"),
    ),
    varies=("weight_decay",),
)
def step_bound(bench: Bench, *, training: Training) -> None:
    """No step is longer than the learning rate times a constant of the betas and the step number."""
    observation, enclosures = bench.train(training), bench.enclosures(training)
    before = list(training.params)
    uncertain = [np.zeros(param.shape) for param in training.params]
    with working_precision(PRECISION_BITS):
        for number, values in enumerate(training.hyperparameters()):
            for tensor, shown in enumerate(observation.params[number]):
                constant = longest_ratio(balls(values[tensor]["beta1"]), balls(values[tensor]["beta2"]), number + 1)
                reach = abs_upper(_rate(values[tensor]) * constant)
                error = slack(enclosures[number][tensor][0])
                allowed = Enclosure(value=balls(before[tensor]), error=total(reach, error, uncertain[tensor]))
                note = "the step is longer than any gradients allow"
                bench.compare(shown, allowed, quantity="param", step=number + 1, tensor=tensor, note=note)
                before[tensor], uncertain[tensor] = shown, error


def _attained_inputs(space: Space) -> Inputs:
    return {
        "geometric": (6, keyword("training", _geometric_trainings(space, _DYADIC))),
        "steepest": (2, keyword("training", _geometric_trainings(space, _STEEP, shortest=12))),
    }


@claim(
    "step_bound_attained",
    kind="invariant",
    formulas=_ADAMS,
    statement=r"g_i \propto (\beta_1 / \beta_2)^{T - i} \implies "
    r"\lvert \theta_T - \theta_{T-1} \rvert = \eta C_T \frac{\sqrt{\hat v_T}}{\sqrt{\hat v_T} + \epsilon}",
    source="the equality case of the Cauchy-Schwarz inequality behind step_bound",
    inputs=_attained_inputs,
    catches=(
        "adam_no_bias_correction",
        "adam_first_moment_uncorrected",
        "adam_second_moment_uncorrected",
        "adam_step_from_two",
        "adam_second_correction_off_by_one",
        "adam_bias_correction_multiplied",
        "adam_eps_inside_root",
        "adam_eps_hat_for_eps",
        "adam_eps_missing",
        "adam_eps_subtracted",
        "adam_eps_as_floor",
        "adam_eps_ten_times_too_large",
        "adam_betas_swapped",
        "adam_second_moment_decays_with_beta1",
        "adam_absolute_gradient",
        "adam_second_moment_of_first_moment",
        "adam_first_weight_missing",
        "adam_second_weight_missing",
        "adam_no_root",
        "adam_beta2_slightly_off",
        "adam_lagging_first_moment",
        "adam_lagging_second_moment",
        "adam_nesterov",
        "adam_ascends",
        "adam_learning_rate_slightly_off",
        "adam_step_clipped_to_rate",
        "adam_scalars_in_float32",
        "adam_float32_state",
        "adamw_last_of_odd_forgotten",
        *planted(_ADAMS[1:], "no_bias_correction"),
        "adam_clamped_at_two_rates",
        "adam_clamped_at_ten_rates",
    ),
    varies=("beta1", "beta2", "weight_decay"),
)
def step_bound_attained(bench: Bench, *, training: Training) -> None:
    """Gradients that grow or fall by the quotient of the betas make the longest step there is."""
    observation, enclosures = bench.train(training), bench.enclosures(training)
    last = len(training.steps)
    values = training.hyperparameters()[-1][0]
    beta1, beta2 = balls(values["beta1"]), balls(values["beta2"])
    grad = training.steps[-1].grads[0]
    assert grad is not None, "every geometric gradient is there"
    with working_precision(PRECISION_BITS):
        constant = longest_ratio(beta1, beta2, last)
        root = abs(balls(grad)) * constant * _weight(beta2, last) / _weight(beta1, last)
        longest = _rate(values) * constant
        step = longest * root / (root + _effective_eps(bench.formula.id, values, last)) * balls(np.sign(grad))
        allowed = total(slack(enclosures[-1][0][0]), slack(enclosures[-2][0][0]))
        expected = Enclosure(value=balls(observation.params[-2][0]) - step, error=allowed)
        note = "the longest possible step came out otherwise"
        bench.compare(observation.params[-1][0], expected, quantity="param", step=last, tensor=0, note=note)


@claim(
    "scale_invariance",
    kind="metamorphic",
    formulas=(*_ADAMS, "adam_l2", "adam_bourmaud_literal_k1"),
    statement=r"\theta_T(a g, a \epsilon, a \lambda) = \theta_T(g, \epsilon, \lambda), \quad a > 0, "
    r"\ \lambda \text{ being a penalty}",
    source="lopesquintas2024updates, Adam : combiner AdaGrad et RMSProp, a quotient of averages",
    inputs=trained(Plan(6)),
    catches=(
        "adam_eps_inside_root",
        "adam_absolute_gradient",
        "adam_no_root",
        "adamw_decay_is_l2",
        "adamw_decay_in_numerator",
        "adam_l2_is_decoupled",
        "adam_bourmaud_eps_inside_root",
        *planted(_ADAMS[1:], "eps_inside_root"),
    ),
    varies=("eps", "l2_penalty"),
)
def scale_invariance(bench: Bench, *, training: Training) -> None:
    """Gradients, epsilon and penalty twice as large lead to the same place."""
    scaled = mapped(
        training,
        grad=lambda grad: 2.0 * grad,
        values=lambda table: {n: 2.0 * value if n in ("eps", "l2_penalty") else value for n, value in table.items()},
    )
    compare_runs(bench, training, scaled, lambda params: params, "gradients in another unit moved the end")


@claim(
    "penalty_alone",
    kind="invariant",
    formulas=("adam_l2",),
    statement=r"g_1 = 0 \implies \theta_1 = \theta_0 - \eta \frac{\lambda \theta_0}{\lvert \lambda \theta_0 \rvert + "
    r"\epsilon} \to \theta_0 - \eta \operatorname{sign}(\theta_0)",
    source="lopesquintas2024updates, Problème de la régularisation: the penalty passes through the averages",
    inputs=trained(Plan(6, steps=(1, 1), narrow_steps=(1, 1)), with_zero_gradients),
    catches=(
        "adam_l2_penalty_ignored",
        "adam_l2_penalty_subtracted",
        "adam_l2_is_decoupled",
        "adam_l2_penalty_not_in_second_moment",
    ),
)
def penalty_alone(bench: Bench, *, training: Training) -> None:
    """Without a loss gradient the first step is the learning rate towards zero, however small the penalty."""
    with working_precision(PRECISION_BITS):
        positions = []
        for param, values in zip(training.params, training.hyperparameters()[0], strict=True):
            penalty = balls(values["l2_penalty"])
            update = penalty * balls(param) / (penalty * abs(balls(param)) + balls(values["eps"]))
            positions.append(balls(param) - _rate(values) * update)
        compare_positions(bench, training, [positions], "the penalty alone did not move the parameters by the rate")


@claim(
    "within_the_box",
    kind="invariant",
    formulas=("adamw", "adamw_paper_scaling"),
    statement=r"\lvert \theta_t \rvert \le \lvert 1 - \eta_t \lambda \rvert \lvert \theta_{t-1} \rvert + \eta_t C_t",
    source="loshchilov2019decoupled, Algorithm 2: the decay stands beside a step that has a longest length",
    inputs=trained(replace(_PLAN, cases=6)),
    catches=(
        "adamw_no_decay",
        "adamw_decay_is_l2",
        "adamw_decay_unscaled",
        "adamw_decay_times_learning_rate_squared",
        "adamw_decay_grows",
        "adamw_decay_bias_corrected",
        "adamw_decay_skipped_for_one_dimension",
        "adamw_decay_in_numerator",
        "adamw_last_of_odd_forgotten",
        "adamw_paper_scaling_no_decay",
        "adamw_paper_scaling_decay_is_l2",
    ),
)
def within_the_box(bench: Bench, *, training: Training) -> None:
    """No parameter is further from zero than decay and the longest steps can have left it."""
    observation, enclosures = bench.train(training), bench.enclosures(training)
    with working_precision(PRECISION_BITS):
        edges = [abs(balls(param)) for param in training.params]
        for number, values in enumerate(training.hyperparameters()):
            for tensor, shown in enumerate(observation.params[number]):
                table = values[tensor]
                constant = longest_ratio(balls(table["beta1"]), balls(table["beta2"]), number + 1)
                kept = abs(1 - balls(decay_factor(bench.formula, table)) * balls(table["weight_decay"]))
                edges[tensor] = kept * edges[tensor] + _rate(table) * constant
                reach = total(abs_upper(edges[tensor]), slack(enclosures[number][tensor][0]))
                allowed = Enclosure(value=balls(np.zeros(shown.shape)), error=reach)
                note = "the parameter is further out than decay and steps allow"
                bench.compare(shown, allowed, quantity="param", step=number + 1, tensor=tensor, note=note)
