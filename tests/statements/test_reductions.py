"""The map of reductions: formulas that become other formulas, each proved on the very bodies of the catalogue.

Both sides of a row are evaluated on symbols; what a false variant changes must make them differ.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.dialects import neighbour
from oracle.formula import Formula
from oracle.theory.convergence import theorem_decreasing_lr, theorem_fixed_lr, theorem_minibatch_fixed_lr
from oracle.trajectory import trajectory

XP = SymbolArray.namespace
HALF = sympy.Rational(1, 2)

THETA = symbol_array("theta1:4", real=True)
ETA, EPS, LAMBDA, ALPHA, DELTA, SIGMA2 = sympy.symbols("eta epsilon lambda alpha Delta sigma2", positive=True)
BETA, T = sympy.symbols("beta T", positive=True)
GAMMA, BETA1, BETA2 = (1 / (1 + odds) for odds in sympy.symbols("a b c", positive=True))  # in (0, 1), as sympy knows

P, Q, R = sympy.symbols("p q r", positive=True)
GRADS = [SymbolArray([P, -Q, 0]), SymbolArray([-R, 2 * Q, 0]), SymbolArray([Q, -P, 0])]  # of every sign
FREE = [symbol_array(f"g{t}_1:4", real=True) for t in (1, 2, 3)]

Sides = tuple[Any, Any]


def run(formula: str | Formula, grads: Sequence[SymbolArray], **hyperparameters: Any) -> list[SymbolArray]:
    """The parameters after each step."""
    chosen = get(formula) if isinstance(formula, str) else formula
    params, _ = trajectory(chosen)(THETA, grads, hyperparameters=hyperparameters)
    return params


def signs(rate: Any) -> list[SymbolArray]:
    """The parameters after each step of descent along the sign of the gradient."""
    return run("gd", [XP.sign(grad) for grad in GRADS], learning_rate=rate)


def weight(**changes: Any) -> dict[str, Any]:
    """Hyperparameters of the Adam family, with some changed."""
    return {"learning_rate": ETA, "beta1": BETA1, "beta2": BETA2, "eps": EPS, **changes}


def momentum_without_memory(momentum: Any = 0) -> Sides:
    return run("momentum_ema", FREE, learning_rate=ETA, momentum=momentum), run("gd", FREE, learning_rate=ETA)


def averaged_momentum(rate: Any = ETA * (1 - GAMMA)) -> Sides:
    return (
        run("momentum_ema", FREE, learning_rate=ETA, momentum=GAMMA),
        run("momentum_heavy_ball", FREE, learning_rate=rate, momentum=GAMMA),
    )


def summed_batches(rate: Any = 3 * ALPHA, sizes: Sequence[int] = (3, 3, 3)) -> Sides:
    sums = [size * grad for size, grad in zip(sizes, FREE, strict=True)]  # batches of such sizes, with these means
    return (
        run("momentum_bourmaud", sums, learning_rate=ALPHA, momentum=GAMMA),
        run("momentum_ema", FREE, learning_rate=rate, momentum=GAMMA),
    )


def rmsprop_without_memory(alpha: Any = 0, eps: Any = 0) -> Sides:
    return run("rmsprop", GRADS, learning_rate=ETA, alpha=alpha, eps=eps), signs(ETA)


def corrected_rmsprop(dialect: str = "rmsprop_corrected", beta1: Any = 0) -> Sides:
    return (
        run(neighbour(get("rmsprop"), dialect), FREE, learning_rate=ETA, alpha=BETA2, eps=EPS),
        run("adam", FREE, **weight(beta1=beta1)),
    )


def adam_without_memory(beta1: Any = 0, beta2: Any = 0, eps: Any = 0) -> Sides:
    return run("adam", GRADS, **weight(beta1=beta1, beta2=beta2, eps=eps)), signs(ETA)


def adam_of_everything(decay: Callable[[int], Any] = sympy.sqrt) -> Sides:
    """The second average forgets nothing in the limit, and the rate falls with the root of the step."""
    beta2 = sympy.Symbol("b", positive=True)
    rates = [weight(learning_rate=ETA / decay(t), beta1=0, beta2=beta2, eps=0) for t in (1, 2, 3)]
    params, _ = trajectory(get("adam"))(THETA, GRADS, hyperparameters=rates)
    limits = [[sympy.limit(sympy.simplify(x - start), beta2, 1) for x, start in pairs(param)] for param in params]
    sums = run("adagrad", GRADS, learning_rate=ETA, eps=0)
    return [THETA + SymbolArray(limit) for limit in limits], sums


def pairs(param: SymbolArray) -> list[tuple[Any, Any]]:
    return list(zip(param.elements, THETA.elements, strict=True))


def literal_adam(steps: int = 1) -> Sides:
    return run("adam_bourmaud_literal_k1", FREE[:steps], **weight()), run("adam", FREE[:steps], **weight())


def literal_adam_without_memory(beta1: Any = 0, beta2: Any = 0) -> Sides:
    values = weight(beta1=beta1, beta2=beta2)
    return run("adam_bourmaud_literal_k1", FREE, **values), run("adam", FREE, **values)


def undecayed_adamw(weight_decay: Any = 0) -> Sides:
    return run("adamw", FREE[:2], **weight(weight_decay=weight_decay)), run("adam", FREE[:2], **weight())


def undecayed_adam(l2_penalty: Any = 0) -> Sides:
    return run("adam_l2", FREE[:2], **weight(l2_penalty=l2_penalty)), run("adam", FREE[:2], **weight())


def undecayed_descent(l2_penalty: Any = 0) -> Sides:
    return run("sgd_l2", FREE, learning_rate=ETA, l2_penalty=l2_penalty), run("gd", FREE, learning_rate=ETA)


def penalised_descent(formula: str = "gd", decay: Any = ETA * LAMBDA, **values: Any) -> Sides:
    """Steps on the penalised loss, whose gradient follows the parameters, and steps with a decay beside them."""
    step, options = trajectory(get(formula)), {"hyperparameters": {"learning_rate": ETA, **values}}
    penalised, decayed = [THETA], [THETA]
    first = second = None
    for grad in FREE[:2]:
        (param,), first = step(penalised[-1], [grad + LAMBDA * penalised[-1]], first, **options)
        penalised.append(param)
        (param,), second = step(decayed[-1], [grad], second, **options)
        decayed.append(param - decay * decayed[-1])
    return penalised, decayed


def unscaled_decay(penalty: Any = LAMBDA / ETA, second_rate: Any = ETA) -> Sides:
    rates = [ETA, second_rate, ETA]
    unscaled, _ = trajectory(get("weight_decay_bourmaud"))(
        THETA, FREE, hyperparameters=[{"learning_rate": rate, "weight_decay": LAMBDA} for rate in rates]
    )
    scaled, _ = trajectory(get("sgd_l2"))(
        THETA, FREE, hyperparameters=[{"learning_rate": rate, "l2_penalty": penalty} for rate in rates]
    )
    return unscaled, scaled


def lion_without_memory(beta1: Any = 0, weight_decay: Any = 0) -> Sides:
    values = {"learning_rate": ETA, "beta1": beta1, "beta2": BETA2, "weight_decay": weight_decay}
    return run("lion", GRADS, **values), signs(ETA)


def lion_of_one_average(beta2: Any = BETA1) -> Sides:
    values = {"learning_rate": ETA, "beta1": BETA1, "beta2": beta2, "weight_decay": 0}
    velocities = []
    state = None
    for grad in FREE:
        _, state = trajectory(get("momentum_ema"))(
            THETA, [grad], state, hyperparameters={"learning_rate": ETA, "momentum": BETA1}
        )
        velocities.append(XP.sign(state.momentum_buffer))
    return run("lion", FREE, **values), run("gd", velocities, learning_rate=ETA)


def literal_lion(weight_decay: Any = 0, late: int = 1) -> Sides:
    values = {"learning_rate": ETA, "beta1": BETA1, "beta2": BETA2, "weight_decay": weight_decay}
    prompt = [THETA, *run("lion", FREE, **values)]
    return run("lion_literal_ct", FREE, **values), prompt[1 - late :][:3]


def clipped_line(copies: int = 1) -> Sides:
    """Inside, at the threshold and outside of it, on both sides of 0; in one dimension unless copied."""
    cases = [(P + Q, P), (-P - Q, P), (P, P + Q), (-P, P + Q), (P, P), (-P, P), (sympy.Integer(0), P)]
    shapes = [(SymbolArray([grad] * copies), SymbolArray(threshold)) for grad, threshold in cases]
    return (
        [get("clip_by_norm")(grad, max_norm=threshold) for grad, threshold in shapes],
        [get("clip_by_value")(grad, clip_value=threshold) for grad, threshold in shapes],
    )


A, B, C, D = sympy.symbols("a b c d", real=True)
GAIN = symbol_array("w1:4", real=True)


def centred_rows(last: Any = -A - B, bias: Any = 0) -> Sides:
    row = SymbolArray([A, B, last])
    return get("layer_norm")(row, GAIN, SymbolArray([bias] * 3), eps=EPS), get("rms_norm")(row, GAIN, eps=EPS)


def transposed_batch(turned: bool = True) -> Sides:
    rows = SymbolArray([[A, B], [C, D]])
    columns = XP.matrix_transpose(rows) if turned else rows
    one, none = SymbolArray([1, 1]), SymbolArray([0, 0])
    return (
        get("layer_norm")(rows, one, none, eps=EPS),
        XP.matrix_transpose(get("batch_norm")(columns, one, none, eps=EPS)),
    )


X, W, V = SymbolArray([[A, B]]), symbol_array("w11 w12", real=True).reshape(2, 1), symbol_array("v1 v2").reshape(2, 1)
BIAS, GATE_BIAS = SymbolArray([C]), SymbolArray([D])


def open_gate(gate: Any = 0, bias: Any = 0) -> Sides:
    affine = XP.matmul(X, W) + BIAS
    return get("glu")(X, W, BIAS, gate * V, bias * GATE_BIAS), affine / 2


def gate_of_itself(gate: SymbolArray = W, bias: SymbolArray = BIAS) -> Sides:
    affine = XP.matmul(X, W) + BIAS
    return get("swiglu")(X, W, BIAS, gate, bias), get("silu")(affine) * affine


def two_classes(order: int = 1) -> Sides:
    """The scores of the classes 0 and 1, and their difference; compared by their exponentials."""
    scores = SymbolArray([A, B])
    found = []
    for target in (0, 1):
        probability = get("sigmoid")(order * (scores[1] - scores[0]))
        two = get("loss_cross_entropy")(scores, target)
        found.append((XP.exp(two), XP.exp(get("loss_bce")(probability, SymbolArray(target)))))
    return [two for two, _ in found], [one for _, one in found]


CONSTANTS = {"smoothness": BETA, "variance": SIGMA2, "gap": DELTA}


def single_samples(batch_size: int = 1, noise: Any = 1) -> Sides:
    values = {"learning_rate": ETA, **CONSTANTS}
    batched = theorem_minibatch_fixed_lr(T, **values, batch_size=batch_size)
    return batched, theorem_fixed_lr(T, **{**values, "variance": noise * SIGMA2})


def constant_schedule(second: Any = ETA) -> Sides:
    return (
        theorem_decreasing_lr([ETA, second, ETA], **CONSTANTS),
        theorem_fixed_lr(3, learning_rate=ETA, **CONSTANTS),
    )


def one_cycle(end: Any = LAMBDA / 10, steps: int = 5) -> Sides:
    peak = SymbolArray(LAMBDA)
    restarts = {"peak_value": peak, "end_value": SymbolArray(end), "cycle_steps": 5, "cycle_growth": 2}
    tenth = {"peak_value": peak, "decay_steps": 5}
    return (
        [get("schedule_cosine_restarts")(step, **restarts) for step in range(steps)],
        [get("schedule_cosine_to_10pct")(step, **tenth) for step in range(steps)],
    )


class Reduction(NamedTuple):
    """One row of the map: a statement, both sides of it, and arguments that make it false."""

    says: str
    sides: Callable[..., Sides]
    false: dict[str, dict[str, Any]]


REDUCTIONS = [
    Reduction("momentum_ema without memory is gd", momentum_without_memory, {"some memory": {"momentum": GAMMA}}),
    Reduction(
        "momentum_ema is heavy ball with a smaller rate",
        averaged_momentum,
        {"the same rate": {"rate": ETA}, "a rate divided": {"rate": ETA / (1 - GAMMA)}},
    ),
    Reduction(
        "momentum_bourmaud on equal batches is momentum_ema with the rate times their size",
        summed_batches,
        {"the same rate": {"rate": ALPHA}, "unequal batches": {"sizes": (3, 2, 3)}},
    ),
    Reduction(
        "rmsprop without memory and epsilon is sign descent",
        rmsprop_without_memory,
        {"some memory": {"alpha": GAMMA}, "some epsilon": {"eps": EPS}},
    ),
    Reduction(
        "rmsprop with its average corrected is adam without a first average",
        corrected_rmsprop,
        {"not corrected": {"dialect": "rmsprop"}, "a first average": {"beta1": HALF}},
    ),
    Reduction(
        "adam without memory and epsilon is sign descent",
        adam_without_memory,
        {"a first average": {"beta1": HALF}, "a second average": {"beta2": HALF}, "some epsilon": {"eps": EPS}},
    ),
    Reduction(
        "adam that forgets no square, at rates that fall with the root of the step, is adagrad",
        adam_of_everything,
        {"a constant rate": {"decay": lambda step: 1}, "a rate over the step": {"decay": sympy.Integer}},
    ),
    Reduction("the first update of adam_bourmaud_literal_k1 is adam's", literal_adam, {"the second": {"steps": 2}}),
    Reduction(
        "adam_bourmaud_literal_k1 without memory is adam",
        literal_adam_without_memory,
        {"a first average": {"beta1": HALF}, "a second average": {"beta2": HALF}},
    ),
    Reduction("adamw without decay is adam", undecayed_adamw, {"some decay": {"weight_decay": LAMBDA}}),
    Reduction("adam_l2 without penalty is adam", undecayed_adam, {"some penalty": {"l2_penalty": LAMBDA}}),
    Reduction("sgd_l2 without penalty is gd", undecayed_descent, {"some penalty": {"l2_penalty": LAMBDA}}),
    Reduction(
        "gd on the penalised loss is gd beside a decay",
        penalised_descent,
        {
            "the decay without the rate": {"decay": LAMBDA},
            "momentum": {"formula": "momentum_ema", "momentum": HALF},
        },
    ),
    Reduction(
        "weight_decay_bourmaud at a constant rate is sgd_l2 with the decay over the rate",
        unscaled_decay,
        {"the same decay": {"penalty": LAMBDA}, "a rate that changes": {"second_rate": ETA / 2}},
    ),
    Reduction(
        "lion without decay and first average is sign descent",
        lion_without_memory,
        {"some decay": {"weight_decay": LAMBDA}, "some memory": {"beta1": HALF}},
    ),
    Reduction(
        "lion with equal betas takes the sign of momentum_ema's velocity",
        lion_of_one_average,
        {"an average without memory": {"beta2": 0}},
    ),
    Reduction(
        "lion_literal_ct without decay is lion an update later",
        literal_lion,
        {"some decay": {"weight_decay": LAMBDA}, "at once": {"late": 0}},
    ),
    Reduction("clip_by_norm of a number is clip_by_value", clipped_line, {"of two numbers": {"copies": 2}}),
    Reduction(
        "layer_norm of a centred row is rms_norm",
        centred_rows,
        {"a row that is not centred": {"last": C}, "some bias": {"bias": D}},
    ),
    Reduction(
        "layer_norm of rows is the transpose of batch_norm of columns",
        transposed_batch,
        {"batch_norm of the rows": {"turned": False}},
    ),
    Reduction(
        "glu with a gate of zeros halves its affine map",
        open_gate,
        {"some gate": {"gate": 1}, "some gate bias": {"bias": 1}},
    ),
    Reduction(
        "swiglu that gates itself is the silu times its argument",
        gate_of_itself,
        {"another gate": {"gate": V}, "another gate bias": {"bias": GATE_BIAS}},
    ),
    Reduction(
        "loss_cross_entropy of two classes is loss_bce of their scores' difference",
        two_classes,
        {"the difference the other way": {"order": -1}, "twice the difference": {"order": 2}},
    ),
    Reduction(
        "theorem_minibatch_fixed_lr of one sample is theorem_fixed_lr",
        single_samples,
        {"two samples": {"batch_size": 2}, "half the noise": {"noise": HALF}},
    ),
    Reduction(
        "the finite form of theorem_decreasing_lr at a constant rate is theorem_fixed_lr",
        constant_schedule,
        {"a rate that changes": {"second": ETA / 2}},
    ),
    Reduction(
        "one cycle of schedule_cosine_restarts down to a tenth is schedule_cosine_to_10pct",
        one_cycle,
        {"down to zero": {"end": sympy.Integer(0)}, "a step beyond the cycle": {"steps": 6}},
    ),
]


def elements(side: Any) -> list[Any]:
    """All expressions of a side."""
    if isinstance(side, list | tuple):
        return [expression for part in side for expression in elements(part)]
    return list(side.elements.flat) if isinstance(side, SymbolArray) else [side]


def differences(left: Any, right: Any) -> list[Any]:
    return [a - b for a, b in zip(elements(left), elements(right), strict=True)]


def at_numbers(expression: Any, seed: int) -> Any:
    """The value, to 30 digits, at fractions drawn for the symbols."""
    draw = random.Random(seed)
    drawn = {
        name: sympy.Rational(draw.randint(1, 60), 11) * (1 if name.is_positive else draw.choice((-1, 1)))
        for name in sorted(expression.free_symbols, key=str)
    }
    return sympy.N(expression.subs(drawn), 30)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=[reduction.says for reduction in REDUCTIONS])
def test_both_sides_of_a_reduction_are_equal(reduction: Reduction) -> None:
    found = differences(*reduction.sides())

    assert found
    assert all(sympy.simplify(sympy.expand(difference)) == 0 for difference in found)


@pytest.mark.parametrize(
    ("reduction", "variant"),
    [
        pytest.param(reduction, variant, id=f"{reduction.says} [{variant}]")
        for reduction in REDUCTIONS
        for variant in reduction.false
    ],
)
def test_both_sides_of_a_false_variant_differ(reduction: Reduction, variant: str) -> None:
    found = differences(*reduction.sides(**reduction.false[variant]))

    # Simplified or not, they differ at some numbers, by far more than the evaluation errs.
    assert any(abs(at_numbers(x, seed)) > sympy.Rational(1, 10**6) for seed in range(20) for x in found)
