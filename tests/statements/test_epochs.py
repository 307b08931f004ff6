"""Epochs: how a random order is cut into minibatches, and what that does to their statistics."""

import itertools
import math
from fractions import Fraction as F

import numpy as np

from oracle.formula import NoState
from oracle.optimizers.descent import gd
from oracle.training.batches import batch_mean, batch_sum, chosen
from oracle.training.epochs import epoch, order, train_valid_split
from oracle.training.loop import trained
from oracle.training.sampling import covariance, expectation, without_replacement
from oracle.training.stochastic import sgd_minibatch_mean
from tests.helpers.statements import statement


def vector(*numbers):
    return np.array([F(number) for number in numbers], dtype=object)


TERMS = [vector(1, 4), vector(-2, F(1, 2)), vector(0, 7), vector(5, -3), vector(F(1, 3), 1)]


def orders(count):
    """All orders, each by its seed."""
    return [order(count, seed) for seed in range(math.factorial(count))]


def overlapping(order, size, *, drop_last=False):
    """Minibatches that share their ends."""
    return epoch([index for pair in itertools.pairwise(order) for index in pair], size, drop_last=drop_last)


def from_the_end(order, size, *, drop_last=False):
    """Minibatches of which the first is the short one."""
    batches = epoch(order[::-1], size, drop_last=drop_last)
    return [batch[::-1] for batch in batches[::-1]]


def in_number(order, number, *, drop_last=False):
    """As many minibatches as the printed words say, whatever their size."""
    return epoch(order, math.ceil(len(order) / number), drop_last=drop_last)


@statement(
    "epoch_shuffling",
    "epoch_shuffling.P1",
    false={
        "minibatches that overlap": {"cut": overlapping},
        "the first one short": {"cut": from_the_end},
        "as many as their size": {"cut": in_number},
    },
)
def test_the_minibatches_of_an_epoch_are_a_partition(cut=epoch):
    for count, size in itertools.product(range(1, 6), range(1, 7)):
        number = -(-count // size)
        for samples in orders(count):
            batches = cut(samples, size)
            assert sorted(itertools.chain(*batches)) == list(range(count))
            assert [len(batch) for batch in batches] == [size] * (number - 1) + [count - size * (number - 1)]
            assert cut(samples, size, drop_last=True) == [batch for batch in batches if len(batch) == size]
            assert len(cut(samples, size, drop_last=True)) == count // size


@statement(
    "epoch_shuffling.P2", false={"without a short batch": {"drop_last": True}, "their means": {"gathered": batch_mean}}
)
def test_at_the_same_parameters_the_sums_of_an_epoch_add_to_the_whole(drop_last=False, gathered=batch_sum):
    for size in range(1, 6):
        for samples in orders(5):
            batches = epoch(samples, size, drop_last=drop_last)
            assert (batch_sum([gathered(chosen(TERMS, batch)) for batch in batches]) == batch_sum(TERMS)).all()


@statement("epoch_shuffling.P3", false={"if the first sample comes first": {"known": lambda batches: 0 in batches[0]}})
def test_each_full_minibatch_of_an_epoch_is_a_uniform_subset_and_unbiased(known=lambda batches: True):
    for size in (1, 2):
        epochs = [batches for batches in (epoch(samples, size) for samples in orders(5)) if known(batches)]
        for place in range(5 // size):
            drawn = [tuple(sorted(batches[place])) for batches in epochs]
            counts = {drawn.count(subset) for subset in without_replacement(5, size)}

            assert counts == {len(epochs) // math.comb(5, size)}
            assert (expectation(batch_mean(chosen(TERMS, batch)) for batch in drawn) == batch_mean(TERMS)).all()


@statement("epoch_shuffling.P3", false={"nothing known": {"known": lambda batch: True}})
def test_after_the_batches_before_it_a_minibatch_is_biased(known=lambda batch: 0 in batch):
    seconds = [second for first, second, *_ in (epoch(samples, 2) for samples in orders(5)) if known(first)]
    mean = expectation(batch_mean(chosen(TERMS, batch)) for batch in seconds)

    assert (mean != batch_mean(TERMS)).any()


@statement(
    "epoch_shuffling.P4",
    false={
        "the variance over N": {"closed_form": lambda variance, count: -variance / count},
        "not correlated": {"closed_form": lambda variance, count: 0 * variance},
        "positively": {"closed_form": lambda variance, count: variance / (count - 1)},
    },
)
def test_two_minibatches_of_an_epoch_are_negatively_correlated(
    closed_form=lambda variance, count: -(variance * F(count, count - 1)) / count,
):
    for count, size in ((4, 1), (4, 2), (5, 2), (5, 4)):
        epochs = [epoch(samples, size) for samples in orders(count)]
        variance = covariance(TERMS[:count], TERMS[:count])  # with the divisor count
        for left, right in itertools.combinations(range(len(epochs[0])), 2):
            means = ([batch_mean(chosen(TERMS, batches[place])) for batches in epochs] for place in (left, right))
            assert (covariance(*means) == closed_form(variance, count)).all()


GRADIENTS = [lambda x, c=c, a=a: a * (x - c) for c, a in ((F(1), 2), (F(-3), 1), (F(4), 5), (F(0), 1))]


@statement("epoch_shuffling.P5", false={"the whole in two": {"whole": 2}, "two at a time": {"single": 2}})
def test_an_epoch_is_one_step_of_descent_or_a_step_for_every_sample(whole=4, single=1):
    rate = F(1, 10)

    def path(samples, size):
        gradients = [
            lambda x, batch=batch: batch_mean([gradient(x) for gradient in chosen(GRADIENTS, batch)])
            for batch in epoch(samples, size)
        ]
        return trained(gd, F(2), gradients, hyperparameters={"learning_rate": rate})[0]

    descent, _ = gd(F(2), batch_mean([gradient(F(2)) for gradient in GRADIENTS]), NoState(), learning_rate=rate)
    for samples in orders(4):
        assert path(samples, whole) == [descent]

        param, steps = F(2), []
        for index in samples:
            param = sgd_minibatch_mean(param, GRADIENTS, (index,), learning_rate=rate)
            steps.append(param)
        assert path(samples, single) == steps


@statement("epoch_shuffling.P6", false={"without a short batch": {"drop_last": True}, "one epoch more": {"epochs": 4}})
def test_after_some_epochs_every_sample_was_visited_equally_often(drop_last=False, epochs=3):
    for seed, size in itertools.product(range(24), (2, 3, 5)):
        visits = [
            index
            for number in range(epochs)
            for batch in epoch(order(5, 7 * seed + number), size, drop_last=drop_last)
            for index in batch
        ]
        assert {index: visits.count(index) for index in range(5)} == dict.fromkeys(range(5), 3)


def reversed_split(samples, valid_count):
    """A split of the order from its other end."""
    return train_valid_split(samples[::-1], valid_count)


def leaking(samples, valid_count):
    """A split that trains on what it validates with."""
    return tuple(samples), train_valid_split(samples, valid_count)[1]


@statement(
    "train_valid_split",
    "train_valid_split.P1",
    "D003",
    false={
        "drawn anew later": {"later": reversed_split},
        "trained on everything": {"split": leaking, "later": leaking},
    },
)
def test_the_base_is_split_once_and_for_all(split=train_valid_split, later=train_valid_split):
    for count in range(1, 6):
        for seed, valid_count in itertools.product(range(math.factorial(count)), range(1, count + 1)):
            train, valid = split(order(count, seed), valid_count)

            assert sorted(train + valid) == list(range(count))
            assert (len(train), len(valid)) == (count - valid_count, valid_count)
            assert later(order(count, seed), valid_count) == (train, valid)


@statement("D010", false={"the number of the minibatches": {"cut": in_number}})
def test_the_size_of_the_minibatches_is_given_and_not_their_number(cut=epoch):
    assert cut((4, 0, 5, 2, 1, 3), 2) == [(4, 0), (5, 2), (1, 3)]
    assert len(cut((4, 0, 5, 2, 1, 3), 6)) == 1  # descent on everything is an epoch of one minibatch


def drawn_afresh(first, second):
    """The first minibatches of two orders."""
    return first[0] + second[0]


def cut_from_one(first, _):
    """Both minibatches of one order."""
    return first[0] + first[1]


@statement("D011", false={"cut from one order": {"drawn": cut_from_one}})
def test_fresh_draws_may_leave_samples_out_and_take_others_twice(drawn=drawn_afresh):
    epochs = [epoch(samples, 2) for samples in orders(4)]
    visits = {tuple(sorted(drawn(*pair))) for pair in itertools.product(epochs, repeat=2)}

    assert {(0, 0, 1, 1), (0, 1, 2, 3)} < visits
