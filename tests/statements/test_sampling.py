"""Stochastic gradients: what they are on average over every draw, and how far they spread."""

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.formula import NoState
from oracle.optimizers.descent import gd
from oracle.training.batches import batch_mean, batch_sum, centred_noise, chosen, left_out
from oracle.training.sampling import (
    covariance,
    expectation,
    minibatch_variance_with_replacement,
    minibatch_variance_without_replacement,
    total_variance,
    with_replacement,
    without_replacement,
)
from oracle.training.stochastic import sgd, sgd_bourmaud_sum, sgd_minibatch_mean
from tests.helpers.statements import statement

RATE = F(1, 5)


def vector(*numbers):
    return np.array([F(number) for number in numbers], dtype=object)


START = vector(2, F(-1, 3))
CENTRES = [vector(1, 4), vector(-2, F(1, 2)), vector(0, 7), vector(5, -3), vector(F(1, 3), 1)]
CURVATURES = [F(1), F(3), F(1, 2), F(2), F(5)]
GRADIENTS = [lambda x, a=a, c=c: a * (x - c) for a, c in zip(CURVATURES, CENTRES, strict=True)]
TERMS = [gradient(START) for gradient in GRADIENTS]
SAMPLINGS = (with_replacement, without_replacement)


def square(values):
    return sum(values**2)


def descended(param, gradients, rate=RATE):
    """A step of gradient descent on the mean loss."""
    return gd(param, batch_mean([gradient(param) for gradient in gradients]), NoState(), learning_rate=rate)[0]


def weighted_towards_the_first(count, size):
    """Draw the first sample twice as often."""
    return itertools.chain(with_replacement(count, size), [(0,) * size] * count ** (size - 1))


@statement(
    "sgd.C1", "minibatch_noise_decomposition.C2", false={"one more": {"evaluated": 2}, "all samples": {"evaluated": 5}}
)
def test_an_update_evaluates_the_gradient_of_one_sample(evaluated=1):
    for index in range(len(GRADIENTS)):
        calls = []

        def counting(gradient, calls=calls):
            return lambda x: calls.append(gradient) or gradient(x)

        moved = sgd(START, [counting(gradient) for gradient in GRADIENTS], index, learning_rate=RATE)

        assert len(calls) == evaluated
        assert (moved == START - RATE * GRADIENTS[index](START)).all()


@statement(
    "sgd",
    "sgd.P1",
    false={"draws that prefer a sample": {"draws": weighted_towards_the_first}},
)
def test_on_average_over_the_samples_a_stochastic_step_is_one_of_descent(draws=with_replacement):
    steps = [sgd(START, GRADIENTS, index, learning_rate=RATE) for (index,) in draws(len(GRADIENTS), 1)]

    assert (expectation(steps) == descended(START, GRADIENTS)).all()


@statement("sgd.P2", false={"the step not squared": {"power": 1}, "the variance over n - 1": {"factor": F(5, 4)}})
def test_stochastic_steps_spread_by_the_squared_rate_times_the_variance(power=2, factor=F(1)):
    mean_step = descended(START, GRADIENTS)
    steps = [sgd(START, GRADIENTS, index, learning_rate=RATE) for index in range(len(GRADIENTS))]
    distance = expectation(square(step - mean_step) for step in steps)

    assert distance == factor * RATE**power * total_variance(TERMS)
    assert distance > 0


@statement("sgd.P3", false={"two different samples": {"gradients": GRADIENTS[:2]}})
def test_one_sample_or_equal_samples_make_descent_of_a_stochastic_step(gradients=(GRADIENTS[0],) * 3):
    for index in range(len(gradients)):
        step = sgd(START, gradients, index, learning_rate=RATE)

        assert (step == descended(START, gradients)).all()


@statement(
    "sgd.C2",
    "sgd.P4",
    false={
        "a start elsewhere": {"start": F(20)},
        "the step not squared": {"power": 1},
        "without the half": {"half": F(1)},
    },
)
def test_from_the_minimiser_every_stochastic_step_climbs(start=None, power=2, half=F(1, 2)):
    smoothness, centres = F(3), [F(-1), F(0), F(7)]
    mean = batch_mean(centres)
    gradients = [lambda x, c=c: smoothness * (x - c) for c in centres]

    def loss(x):
        return batch_mean([smoothness / 2 * (x - c) ** 2 for c in centres])

    origin = mean if start is None else start
    variance = total_variance([gradient(mean) for gradient in gradients])
    for rate in (F(1, 100), F(1, 3), F(2)):
        after = [loss(sgd(origin, gradients, index, learning_rate=rate)) for index in range(3)]

        assert all(value > loss(origin) for value in after)
        assert expectation(after) - loss(origin) == half * smoothness * rate**power * variance


@statement("sgd.C2", false={"equal samples": {"centres": (F(1), F(1))}})
def test_a_sample_may_climb_while_the_loss_falls_on_average(centres=(F(-1), F(3))):
    gradients = [lambda x, c=c: x - c for c in centres]

    def loss(x):
        return batch_mean([(x - c) ** 2 / 2 for c in centres])

    start = F(5, 2)
    after = [loss(sgd(start, gradients, index, learning_rate=F(1, 2))) for index in range(2)]

    assert expectation(after) < loss(start)
    assert max(after) > loss(start)


@statement("sgd.P5", false={"a sample that pulls elsewhere": {"last": F(1)}})
def test_where_all_samples_rest_every_order_rests(last=F(0)):
    rest = vector(1, 1)
    gradients = [
        lambda x: 3 * (x - rest),
        lambda x: (x - rest) ** 3,
        lambda x: 2 * (x - rest) + last,
    ]
    for order in itertools.product(range(3), repeat=3):
        param = rest
        for index in order:
            param = sgd(param, gradients, index, learning_rate=RATE)
        assert (param == rest).all()


def divided_by_all(param, batch):
    return param - RATE * batch_sum(chosen(TERMS, batch)) / len(TERMS)


@statement("sgd_minibatch_mean.C1", false={"divided by the number of all samples": {"rule": divided_by_all}})
def test_a_batch_of_one_is_a_stochastic_step(rule=lambda x, b: sgd_minibatch_mean(x, GRADIENTS, b, learning_rate=RATE)):
    for index in range(len(GRADIENTS)):
        assert (rule(START, (index,)) == sgd(START, GRADIENTS, index, learning_rate=RATE)).all()


@statement(
    "sgd_minibatch_mean.C2",
    false={"with replacement": {"draws": with_replacement}, "one sample short": {"missing": 1}},
)
def test_a_batch_of_all_samples_is_descent_without_replacement(draws=without_replacement, missing=0):
    count = len(GRADIENTS)
    for batch in draws(count, count - missing):
        step = sgd_minibatch_mean(START, GRADIENTS, batch, learning_rate=RATE)

        assert (step == descended(START, GRADIENTS)).all()


@statement(
    "sgd_minibatch_mean",
    "sgd_minibatch_mean.P1",
    false={"draws that prefer a sample": {"samplings": (weighted_towards_the_first,)}},
)
def test_the_mean_of_a_batch_is_unbiased_under_both_samplings(samplings=SAMPLINGS):
    for draws, size in itertools.product(samplings, range(1, 5)):
        means = (batch_mean(chosen(TERMS, batch)) for batch in draws(len(TERMS), size))

        assert (expectation(means) == batch_mean(TERMS)).all()


def without_the_correction(variance, size, count):
    return variance / size * F(count - size, count)


@statement(
    "sgd_minibatch_mean.P2",
    false={
        "n in place of n - 1": {"subsets": without_the_correction},
        "divided by the square of the size": {"independent": lambda variance, size: variance / size**2},
        "both alike": {"independent": lambda v, size: minibatch_variance_without_replacement(v, size, 6)},
    },
)
def test_the_mean_of_a_batch_has_the_variance_of_its_sampling(
    independent=minibatch_variance_with_replacement, subsets=minibatch_variance_without_replacement
):
    terms = [*TERMS, vector(-1, -9)]
    for count in range(2, 7):
        variance = total_variance(terms[:count])
        mean_square = expectation(square(term) for term in terms[:count])
        assert variance == mean_square - square(batch_mean(terms[:count]))

        for size in range(1, min(count, 4) + 1):
            means = [batch_mean(chosen(terms, batch)) for batch in with_replacement(count, size)]
            assert total_variance(means) == independent(variance, size)
        for size in range(1, count + 1):
            means = [batch_mean(chosen(terms, batch)) for batch in without_replacement(count, size)]
            assert total_variance(means) == subsets(variance, size, count)


@statement("sgd_minibatch_mean.P3", false={"without replacement": {"draws": without_replacement}})
def test_as_many_draws_as_samples_are_not_descent_with_replacement(draws=with_replacement):
    for count in (2, 3, 4):
        steps = [
            sgd_minibatch_mean(START, GRADIENTS[:count], batch, learning_rate=RATE) for batch in draws(count, count)
        ]
        variance = total_variance(TERMS[:count])

        assert total_variance(steps) == RATE**2 * variance / count > 0
        assert any((step != descended(START, GRADIENTS[:count])).any() for step in steps)


def averaged_in_turn(terms):
    average = terms[0]
    for term in terms[1:]:
        average = (average + term) / 2
    return average


@statement("sgd_minibatch_mean.P4", false={"each term averaged with those before": {"mean": averaged_in_turn}})
def test_the_samples_of_a_batch_have_no_order(mean=batch_mean):
    for batch in with_replacement(4, 3):
        means = {tuple(mean(chosen(TERMS, order))) for order in itertools.permutations(batch)}

        assert len(means) == 1


@statement("sgd_minibatch_mean.P5", false={"the sum": {"gathered": batch_sum}})
def test_the_mean_of_a_batch_is_not_longer_than_its_longest_gradient(gathered=batch_mean):
    longest = max(map(square, TERMS))
    for draws, size in itertools.product(SAMPLINGS, range(1, 5)):
        for batch in draws(len(TERMS), size):
            terms = chosen(TERMS, batch)
            assert square(gathered(terms)) <= max(map(square, terms)) <= longest


@statement("sgd_bourmaud_sum", "sgd_bourmaud_sum.P1", false={"the mean": {"loss_scale": F(1, 5)}})
def test_a_batch_of_all_samples_is_descent_on_the_summed_loss(loss_scale=F(1)):
    grad = loss_scale * batch_sum(TERMS)
    expected, _ = gd(START, grad, NoState(), learning_rate=RATE)

    for batch in itertools.permutations(range(len(TERMS))):
        assert (sgd_bourmaud_sum(START, GRADIENTS, batch, learning_rate=RATE) == expected).all()


@statement(
    "sgd_bourmaud_sum.P2",
    false={"unbiased": {"share": lambda size, count: F(1)}, "by 1 / N": {"share": lambda size, count: F(1, count)}},
)
def test_the_sum_of_a_batch_is_on_average_its_share_of_the_whole(share=F):
    count = len(TERMS)
    for draws, size in itertools.product(SAMPLINGS, range(1, 5)):
        sums = (batch_sum(chosen(TERMS, batch)) for batch in draws(count, size))

        assert (expectation(sums) == share(size, count) * batch_sum(TERMS)).all()


@statement("sgd_bourmaud_sum.P3", false={"both conventions alike": {"factor": 1}, "four times": {"factor": 4}})
def test_every_sample_twice_doubles_the_sum_and_leaves_the_mean(factor=2):
    for batch in without_replacement(5, 3):
        in_sum, twice_in_sum = (sgd_bourmaud_sum(START, GRADIENTS, b, learning_rate=RATE) for b in (batch, batch * 2))
        in_mean, twice_in_mean = (
            sgd_minibatch_mean(START, GRADIENTS, b, learning_rate=RATE) for b in (batch, batch * 2)
        )

        assert (twice_in_sum - START == factor * (in_sum - START)).all()
        assert (twice_in_mean == in_mean).all()


def subsets(count):
    return [batch for size in range(count + 1) for batch in itertools.combinations(range(count), size)]


@statement(
    "minibatch_noise_decomposition",
    "minibatch_noise_decomposition.C1",
    "minibatch_noise_decomposition.P1",
    false={
        "the noise added": {"sign": -1},
        "noise of the batch itself": {"noise": lambda terms, b: batch_sum(chosen(terms, b))},
    },
)
def test_the_sum_of_a_batch_is_the_whole_less_what_is_left_out(sign=1, noise=left_out):
    grads = symbol_array("g1:6")
    terms = [grads[place] for place in range(5)]

    for batch in subsets(5):
        difference = batch_sum(chosen(terms, batch)) - (batch_sum(terms) - sign * noise(terms, batch))
        assert sympy.expand(SymbolArray(difference).elements.item()) == 0
    assert batch_sum(chosen(terms, ())) == 0
    assert noise(terms, range(5)) == 0


@statement(
    "minibatch_noise_decomposition.C2",
    false={"equal samples": {"pull": F(0)}, "a pull that does not reach over the hill": {"pull": F(4)}},
)
def test_noise_may_leave_a_poor_minimum_in_which_descent_stays(pull=F(16)):
    # Both losses have the slope x (x - 1) (x - 3) on average: a poor minimum at 0, a hill at 1, the best one at 3.
    gradients = [lambda x, s=s: x * (x - 1) * (x - 3) + s for s in (pull, -pull)]

    def loss(x):
        return x**4 / 4 - 4 * x**3 / 3 + 3 * x**2 / 2

    rate, poor = F(1, 8), F(0)
    assert descended(poor, gradients, rate) == poor

    param = sgd(poor, gradients, 1, learning_rate=rate)
    for _ in range(2):
        param = descended(param, gradients, rate)
    assert loss(param) < loss(poor)


@statement(
    "minibatch_noise_decomposition.P2",
    "D009",
    false={"centred": {"share": lambda size, count: F(0)}, "the share of the batch": {"share": F}},
)
def test_what_is_left_out_is_not_centred(share=lambda size, count: 1 - F(size, count)):
    for terms in (TERMS, [F(1), F(1)]):
        count = len(terms)
        for size in range(1, count + 1):
            noise = expectation(left_out(terms, batch) for batch in without_replacement(count, size))

            assert np.all(noise == share(size, count) * batch_sum(terms))
    assert [left_out([F(1), F(1)], batch) for batch in without_replacement(2, 1)] == [1, 1]


@statement("D009", false={"the printed noise": {"noise": left_out}})
def test_the_noise_around_the_mean_is_centred(noise=centred_noise):
    for size in range(1, len(TERMS)):
        mean = expectation(noise(TERMS, batch) for batch in without_replacement(len(TERMS), size))

        assert not mean.any()


@statement(
    "minibatch_noise_decomposition.C2",
    "minibatch_noise_decomposition.P3",
    false={
        "N in place of N - 1": {"closed_form": without_the_correction},
        "as with replacement": {"closed_form": lambda v, size, count: v / size},
    },
)
def test_the_centred_noise_shrinks_with_the_batch_and_vanishes_at_the_whole(
    closed_form=minibatch_variance_without_replacement,
):
    count = len(TERMS)
    variance = expectation(square(term) for term in TERMS) - square(batch_mean(TERMS))
    spreads = []
    for size in range(1, count + 1):
        spread = expectation(square(centred_noise(TERMS, batch)) for batch in without_replacement(count, size))
        assert spread == closed_form(variance, size, count)
        spreads.append(spread)

    assert all(larger > smaller for larger, smaller in itertools.pairwise(spreads))
    assert spreads[-1] == 0


@statement("minibatch_noise_decomposition.P4", false={"where the loss still falls": {"point": F(1)}})
def test_at_a_stationary_point_a_batch_is_minus_what_is_left_out(point=None):
    centres = [F(-1), F(0), F(7), F(2)]
    stationary = batch_mean(centres) if point is None else point
    terms = [stationary - centre for centre in centres]

    for batch in subsets(4):
        assert batch_sum(chosen(terms, batch)) == -left_out(terms, batch)


@statement(
    "D008",
    false={
        "a set under the rule for draws": {"draws": without_replacement},
        "draws under the rule for sets": {"closed_form": lambda v, n: minibatch_variance_without_replacement(v, n, n)},
    },
)
def test_two_draws_of_two_samples_have_half_the_variance_and_two_of_two_none(
    draws=with_replacement, closed_form=minibatch_variance_with_replacement
):
    terms = [F(0), F(2)]  # of variance 1
    means = [batch_mean(chosen(terms, batch)) for batch in draws(2, 2)]

    assert sorted(means) == [0, 1, 1, 2]
    assert total_variance(means) == closed_form(total_variance(terms), 2) == F(1, 2)
    assert total_variance([batch_mean(chosen(terms, batch)) for batch in without_replacement(2, 2)]) == 0


@statement("D011", false={"draws afresh": {"second": lambda first, other: other}})
def test_batches_of_one_epoch_vary_against_each_other_and_fresh_draws_do_not(
    second=lambda first, other: tuple(index for index in range(4) if index not in first),
):
    terms = [F(0), F(1), F(3), F(8)]
    pairs = list(itertools.product(without_replacement(4, 2), repeat=2))

    def together(batches):
        means = [[batch_mean(chosen(terms, batch)) for batch in pair] for pair in batches]
        return covariance(*zip(*means, strict=True))

    spread = total_variance(terms) * F(4, 3)
    assert together(pairs) == 0
    assert together([(first, second(first, other)) for first, other in pairs]) == -spread / 4
