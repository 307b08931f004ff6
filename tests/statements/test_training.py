"""What surrounds the updates: validation, early stopping, one batch learnt by heart, and the choice of a step."""

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.balls import balls, working_precision
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import get
from oracle.exact import exact
from oracle.losses.binary import bce_with_logits
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.regression import loss_squared_error
from oracle.optimizers.descent import gd
from oracle.training.batches import batch_sum
from oracle.training.early_stopping import Stop, early_stopping, early_stopping_later_ties
from oracle.training.loop import trained
from oracle.training.rates import (
    grid_search,
    lr_range_test,
    lr_range_test_linear_axis,
    range_test_factor,
    range_test_rates,
)
from oracle.training.risk import risk_mean, risk_sum
from tests.helpers.statements import statement

SAMPLES = [(F(1), F(2)), (F(2), F(1)), (F(-1), F(3)), (F(1, 2), F(0)), (F(4), F(-5))]


def squared(prediction, target):
    return (prediction - target) ** 2


def line(slope):
    return lambda x: slope * x


@statement(
    "validation_loss",
    "validation_loss.P1",
    false={"the mean": {"risk": risk_mean}},
)
def test_the_validation_loss_adds_up_over_parts_of_its_samples_in_any_order(risk=risk_sum):
    model = line(F(3, 7))
    whole = risk(squared, model, SAMPLES)

    for order in itertools.permutations(SAMPLES):
        assert risk(squared, model, order) == whole
    for cut in range(1, 5):
        assert risk(squared, model, SAMPLES[:cut]) + risk(squared, model, SAMPLES[cut:]) == whole


def validated(param):
    return risk_sum(loss_squared_error, line(param), [(np.array([1.0, 2.0]), np.array([0.5, -1.0]))])


def normalized_in_place(param):
    param /= np.abs(param).max()
    return validated(param)


@statement("validation_loss.P1", false={"parameters normalized in place": {"evaluate": normalized_in_place}})
def test_validation_leaves_parameters_and_memory_alone(evaluate=validated):
    betas = {"beta1": 0.9, "beta2": 0.99, "eps": 1e-8}
    for id, others in (("gd", {}), ("momentum_ema", {"momentum": 0.9}), ("adam", betas)):
        hyperparameters = {"learning_rate": 0.1, **others}

        def gradient(param):
            return 2 * param - 1.0

        undisturbed, memory = trained(get(id), np.array([3.0, -2.0]), [gradient] * 4, hyperparameters=hyperparameters)
        param, state, seen = np.array([3.0, -2.0]), None, []
        for _ in range(2):
            (_, param), state = trained(get(id), param, [gradient] * 2, state, hyperparameters=hyperparameters)
            seen.append(evaluate(param))

        assert param.tolist() == undisturbed[-1].tolist()
        assert [np.asarray(part).tolist() for part in state] == [np.asarray(part).tolist() for part in memory]
        assert seen[1] < seen[0]


def sequences(length=5, levels=3):
    """Every sequence of losses of a length, of so many values."""
    return list(itertools.product(range(levels), repeat=length))


def keeping_the_last(losses, *, patience):
    """Stop early, but return the parameters of the last epoch."""
    stop = early_stopping(losses, patience=patience)
    return Stop(stop.best, stop.stopped or len(losses), stop.stopped)


@statement(
    "early_stopping",
    "early_stopping.C1",
    false={"the last parameters returned": {"rule": keeping_the_last}},
)
def test_the_returned_parameters_are_those_of_the_lowest_validation_loss_seen(rule=early_stopping):
    for losses, patience in itertools.product(sequences(), (1, 2, 3)):
        stop = rule(losses, patience=patience)
        seen = losses[: stop.stopped]

        assert losses[stop.stored - 1] == stop.best == min(seen)


@statement("early_stopping.P1", false={"small improvements ignored": {"min_delta": 1}})
def test_the_best_loss_is_the_least_so_far(min_delta=0):
    for losses in sequences():
        bests = [early_stopping(losses[:end], patience=9, min_delta=min_delta).best for end in range(1, 6)]

        assert bests == list(itertools.accumulate(losses, min))
        assert all(before >= after for before, after in itertools.pairwise(bests))


@statement("early_stopping.P2", false={"ties taken for improvements": {"rule": early_stopping_later_ties}})
def test_the_first_epoch_of_the_lowest_loss_is_stored(rule=early_stopping):
    for losses, patience in itertools.product(sequences(), (1, 2, 3)):
        stop = rule(losses, patience=patience)
        seen = losses[: stop.stopped]

        assert stop.stored == seen.index(min(seen)) + 1


@statement(
    "early_stopping.P3",
    false={
        "one epoch later": {"extra": 1},
        "one epoch earlier": {"extra": -1},
        "ties taken for improvements": {"rule": early_stopping_later_ties},
    },
)
def test_training_stops_a_patience_after_the_last_improvement(rule=early_stopping, extra=0):
    for losses, patience in itertools.product(sequences(6), (1, 2, 3)):
        records = [e for e in range(1, 7) if losses[e - 1] < min(losses[: e - 1], default=9)]
        due = [
            record + patience + extra
            for record, next_record in itertools.pairwise([*records, 99])
            if record + patience < next_record
        ]
        assert rule(losses, patience=patience).stopped == next((epoch for epoch in due if epoch <= 6), None)

        assert rule(range(9, 0, -1), patience=patience).stopped is None
        assert rule(itertools.repeat(F(1)), patience=patience).stopped == 1 + patience + extra


@statement(
    "early_stopping.P4",
    false={
        "a threshold": {"min_delta": 1},
        "a transform that falls": {"transform": lambda loss: -loss},
        "a transform that is flat somewhere": {"transform": lambda loss: max(loss, 1)},
    },
)
def test_only_the_order_of_the_losses_decides(min_delta=0, transform=lambda loss: F(loss) ** 3 / 7 - 2):
    for losses, patience in itertools.product(sequences(), (1, 2)):
        stop = early_stopping(losses, patience=patience, min_delta=min_delta)
        others = early_stopping(map(transform, losses), patience=patience, min_delta=min_delta)
        means = early_stopping([F(loss, 5) for loss in losses], patience=patience, min_delta=min_delta)

        assert (stop.stored, stop.stopped) == (others.stored, others.stopped) == (means.stored, means.stopped)


@statement("D012", false={"ties taken for improvements": {"rule": early_stopping_later_ties}})
def test_a_loss_that_equals_the_best_is_no_improvement(rule=early_stopping):
    assert rule([1, 1, 0], patience=1) == (1, 1, 2)
    assert rule([1, 1, 0], patience=2) == (0, 3, None)  # without a patience nothing says which of the two is meant


FEATURES = np.array([[1, 1, 0], [0, 1, 1]])  # two independent samples of three features
REPEATED = np.array([[1, 1, 0], [2, 2, 0]])


@statement(
    "overfit_single_minibatch",
    "overfit_single_minibatch.P1",
    false={
        "dependent samples": {"features": REPEATED},
        "fewer features than samples": {"features": FEATURES[:, :1]},
        "two over the smallest curvature": {"limit": F(1)},
    },
)
def test_descent_fits_one_minibatch_of_a_linear_model_at_a_linear_rate(features=FEATURES, limit=F(1, 3)):
    weights = sympy.symbols(f"w:{features.shape[1]}")
    targets = [1, -2]
    loss = loss_squared_error.body(SymbolArray(features @ np.array(weights)), SymbolArray(targets)).elements.item()
    evaluate = sympy.lambdify(weights, loss, "math")
    slope = sympy.lambdify(weights, [sympy.diff(loss, weight) for weight in weights], "math")
    # The squared residuals are curved by 2 and 6: twice the eigenvalues of [[2, 1], [1, 2]].
    for rate in (F(k, 40) * limit for k in (1, 10, 20, 30, 39)):
        start = np.array([F(1)] * len(weights), dtype=object)
        path, _ = trained(
            gd, start, [lambda w: np.array(slope(*w), dtype=object)] * 4, hyperparameters={"learning_rate": rate}
        )
        losses = [evaluate(*start), *(evaluate(*point) for point in path)]
        contraction = max(abs(1 - 2 * rate), abs(1 - 6 * rate))

        assert contraction < 1
        assert all(after <= contraction**2 * before for before, after in itertools.pairwise(losses))


def pushed(theta):
    """Slope of the cross-entropy of one sample of the positive class with the input 1."""
    return -sigmoid.body(-theta)


def pulled_back(theta):
    """The same with as much of the other class: no longer separable."""
    return (sigmoid.body(theta) - sigmoid.body(-theta)) / 2


@statement(
    "overfit_single_minibatch.P2",
    "D013",
    false={"both classes at one input": {"slope": pulled_back}, "like 1 / t squared": {"power": 2}},
)
def test_cross_entropy_falls_like_one_over_t_and_never_reaches_zero(slope=pushed, power=1):
    z = symbol_array("z", positive=True)
    positive = bce_with_logits.body(z, 1).elements.item()
    assert sympy.simplify(sympy.diff(positive, z.elements.item()) - pushed(z).elements.item()) == 0

    with working_precision(128):
        path, _ = trained(gd, balls(0.0), [slope] * 40, hyperparameters={"learning_rate": balls(1.0)})
        losses = [bce_with_logits.body(theta, balls(1.0)) for theta in path]
        # The exponential u of theta grows by a factor exp(1 / (1 + u)): by at least 1/2 and at most 2 a step.
        for step, (theta, loss) in enumerate(zip(path, losses, strict=True), start=1):
            reached = balls(1.0 + step / 2)
            assert bool(theta >= theta.namespace.log(reached))
            assert bool(loss <= 1 / reached**power)
            assert bool(loss >= loss.namespace.log1p(balls(1.0) / balls(1.0 + 2 * step)))
        assert all(bool(after < before) for before, after in itertools.pairwise(losses))


@statement("D013", false={"scores that floats tell apart": {"gap": 30.0}, "a sample not fitted": {"residual": 0.5}})
def test_only_a_squared_error_is_zero_and_a_float_cross_entropy_may_claim_it(gap=40.0, residual=0.0):
    scores, target = np.array([[gap, 0.0]]), np.array([0])

    assert exact(loss_cross_entropy, scores, target) > 0
    assert loss_cross_entropy(scores, target) == 0
    assert exact(loss_squared_error, np.array([2.0 + residual]), np.array([2.0])) == 0


GRID = [F(1, 10), F(1, 2), F(1, 3), F(9, 10), F(5, 4), F(2, 5)]


def after_descent(rate):
    """Where descent on two parabolas ends with a step."""
    path, _ = trained(gd, F(3), [lambda x: 2 * x, lambda x: x - 1], hyperparameters={"learning_rate": rate})
    return path[-1] ** 2


def until_it_rises(rates, final_loss):
    """Try steps in turn as long as they get better."""
    rates = list(rates)
    kept = next((k for k in range(1, len(rates)) if final_loss(rates[k]) > final_loss(rates[k - 1])), len(rates))
    return grid_search(rates[:kept], final_loss)


@statement("lr_grid_search", "lr_grid_search.P1", false={"given up at the first rise": {"search": until_it_rises}})
def test_the_grid_is_searched_to_its_end_and_more_points_never_harm(search=grid_search):
    for count in range(1, len(GRID) + 1):
        for grid in itertools.permutations(GRID, count) if count < 4 else [GRID[:count]]:
            best = search(grid, after_descent)
            assert best.learning_rate in grid
            assert best.loss == after_descent(best.learning_rate) == min(map(after_descent, grid))
            for more in GRID:
                assert search([*grid, more], after_descent).loss <= best.loss


def constant(first, _, count):
    return [first] * count


def cyclic(first, factor, count):
    return [first * factor ** (k % 3) for k in range(count)]


@statement("lr_range_test.C1", false={"a constant rate": {"rates": constant}, "one that restarts": {"rates": cyclic}})
def test_in_a_range_test_the_step_grows_at_every_minibatch(rates=range_test_rates):
    steps = rates(F(1, 10**7), F(3), 6)
    gradients = [lambda _: F(1), lambda _: F(1)] * 3  # of minibatches, so that movements are the steps
    path, _ = trained(gd, F(0), gradients, hyperparameters=[{"learning_rate": step} for step in steps])
    movements = [before - after for before, after in itertools.pairwise([F(0), *path])]

    assert movements[0] == F(1, 10**7)
    assert all(after > before for before, after in itertools.pairwise(movements))


@statement(
    "lr_range_test",
    "lr_range_test.P1",
    false={
        "the root of the number of rates": {
            "factor": lambda first, last, count: range_test_factor(first, last, count + 1)
        },
        "steps of equal difference": {
            "rates": lambda first, q, count: [first * (1 + k * (q - 1)) for k in range(count)]
        },
    },
)
def test_the_logarithms_of_the_steps_are_equally_spaced_up_to_the_last(
    factor=range_test_factor, rates=range_test_rates
):
    first, growth = sympy.symbols("a r", positive=True)
    for count in (2, 3, 7):
        last = first * (1 + growth)  # above the first
        q = factor(first, last, count)
        steps = rates(first, q, count)
        logarithms = [sympy.expand_log(sympy.log(step), force=True) for step in steps]
        spacing = sympy.log(1 + growth) / (count - 1)

        assert sympy.simplify(steps[-1] - last) == 0
        for k, logarithm in enumerate(logarithms):
            assert sympy.simplify(logarithm - sympy.log(first) - k * spacing) == 0


RATES = range_test_rates(F(1, 10**7), F(10), 5)


@statement(
    "lr_range_test.P2",
    false={
        "a negative scale": {"scale": F(-3)},
        "squared losses": {"power": 2},
    },
)
def test_the_steepest_fall_survives_a_positive_scale_and_a_shift(scale=F(2, 3), shift=F(5), power=1):
    for losses in sequences(5, 4):
        changed = [scale * F(loss) ** power + shift for loss in losses]

        assert lr_range_test(RATES, changed) == lr_range_test(RATES, losses)


@statement(
    "lr_range_test.P2",
    false={"the axis of the rates": {"rule": lr_range_test_linear_axis}, "unequal spacing": {"growing": 1}},
)
def test_falls_and_slopes_against_the_logarithm_choose_alike(rule=lr_range_test, growing=0):
    places = [k + growing * k**2 for k in range(5)]  # logarithms of the rates, up to a positive unit
    rates = [F(10) ** place for place in places]

    for losses in sequences(5, 4):
        slopes = [F(losses[k + 1] - losses[k], places[k + 1] - places[k]) for k in range(4)]
        assert rule(rates, losses) == rates[slopes.index(min(slopes))]


@statement(
    "lr_range_test.P3",
    "D014",
    false={"the axis of the logarithms": {"rule": lr_range_test}},
)
def test_slopes_against_the_rate_prefer_small_rates(rule=lr_range_test_linear_axis):
    losses = [9, 8, 2, 5, 6]

    assert lr_range_test(RATES, losses) == RATES[1]  # down by 6
    assert rule(RATES, losses) == RATES[0]  # down by 1 over a tenth of the distance

    for values in sequences(5, 4):
        weighted = [F(values[k + 1] - values[k]) / RATES[k] for k in range(4)]
        assert rule(RATES, values) == RATES[weighted.index(min(weighted))]


@statement(
    "D014",
    false={
        "the most negative gradient": {"slopes": min},
        "the flattest point": {"slopes": lambda grads: min(grads, key=abs)},
    },
)
def test_the_slope_meant_is_that_of_the_loss_curve(slopes=None):
    def gradient(x):
        return 2 * x

    rates = range_test_rates(F(1, 100), F(4), 5)
    path, _ = trained(gd, F(-1), [gradient] * 5, hyperparameters=[{"learning_rate": rate} for rate in rates])
    points = [F(-1), *path[:-1]]
    losses = [point**2 for point in points]
    picked = lr_range_test(rates, losses)
    if slopes is not None:
        grads = [gradient(point) for point in points]
        picked = rates[grads.index(slopes(grads))]

    falls = [after - before for before, after in itertools.pairwise(losses)]
    assert picked == rates[falls.index(min(falls))]
    assert batch_sum(falls) == losses[-1] - losses[0]
