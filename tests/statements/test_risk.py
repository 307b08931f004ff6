"""The problem that training solves: risks, models made of layers, and the two conventions of a batch."""

import itertools
from fractions import Fraction as F

import sympy

from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.catalogue import FORMULAS, get
from oracle.formula import NoState
from oracle.losses.regression import loss_l1, loss_mse, loss_squared_error
from oracle.optimizers.descent import sgd_l2
from oracle.training.batches import batch_mean, batch_sum
from oracle.training.loop import trained
from oracle.training.risk import composed, risk_mean, risk_sum
from oracle.training.stochastic import sgd_bourmaud_sum, sgd_minibatch_mean
from oracle.trajectory import trajectory
from tests.helpers.statements import statement

SAMPLES = [(F(1), F(2)), (F(2), F(1)), (F(-1), F(3)), (F(1, 2), F(0))]
GRID = [F(k, 4) for k in range(-12, 13)]
LETTERS = {"beta", "gamma", "sigma", "tau", "lambda", "g", "v", "m", "p", "c"}


def expression(value):
    """The one expression of a 0-d array of symbols."""
    return value.elements.item()


def expanded(value):
    return [sympy.expand(element) for element in value.elements.ravel()]


def squared(prediction, target):
    return (prediction - target) ** 2


def line(slope):
    return lambda x: slope * x


def exponential_average(loss, model, samples):
    average = F(0)
    for x, y in samples:
        average = (average + loss(model(x), y)) / 2
    return average


@statement(
    "problem_erm.C1",
    false={"residuals with their signs": {"losses": (lambda p, y: SymbolArray(sum((y - p).elements)),)}},
)
def test_no_risk_is_negative(losses=(loss_squared_error.body, loss_mse.body, loss_l1.body)):
    samples = [(symbol_array(f"x{i} u{i}", real=True), symbol_array(f"y{i} z{i}", real=True)) for i in range(3)]
    slope = symbol_array("theta", real=True)

    for loss, risk in itertools.product(losses, (risk_sum, risk_mean)):
        assert expression(risk(loss, line(slope), samples)).is_nonnegative


@statement(
    "problem_erm",
    "problem_erm.P1",
    false={"a negative scale": {"scale": F(-1)}, "a scale of zero": {"scale": F(0)}},
)
def test_minimisers_survive_a_positive_scale_and_a_shift(scale=F(5, 3), shift=F(-2)):
    def minimisers(risk):
        values = {slope: risk(slope) for slope in GRID}
        return {slope for slope, value in values.items() if value == min(values.values())}

    best = minimisers(lambda slope: risk_sum(squared, line(slope), SAMPLES))

    assert minimisers(lambda slope: risk_mean(squared, line(slope), SAMPLES)) == best
    assert minimisers(lambda slope: scale * risk_sum(squared, line(slope), SAMPLES) + shift) == best
    assert len(best) < len(GRID)


@statement(
    "problem_erm.P2",
    false={
        "one sample less": {"factor": lambda n: n - 1},
        "both alike": {"factor": lambda n: 1},
        "the square": {"factor": lambda n: n**2},
    },
)
def test_the_gradient_of_the_sum_is_that_of_the_mean_times_the_number_of_samples(factor=lambda n: n):
    theta = sympy.symbols("theta", real=True)

    def model(x):
        return x.namespace.tanh(theta * x)

    for count in range(1, 6):
        samples = [(symbol_array(f"x{i}"), symbol_array(f"y{i}")) for i in range(count)]
        in_sum = sympy.diff(expression(risk_sum(loss_squared_error.body, model, samples)), theta)
        in_mean = sympy.diff(expression(risk_mean(loss_squared_error.body, model, samples)), theta)

        assert sympy.expand(in_sum - factor(count) * in_mean) == 0


@statement("problem_erm.P3", false={"late samples weigh more": {"risks": (exponential_average,)}})
def test_samples_have_no_order(risks=(risk_sum, risk_mean)):
    for risk in risks:
        values = {risk(squared, line(F(2, 3)), order) for order in itertools.permutations(SAMPLES)}

        assert len(values) == 1


def skipping(layers):
    """Add to every value what a layer makes of it."""

    def model(x):
        for layer in layers:
            x = x + layer(x)
        return x

    return model


@statement(
    "parametric_composition",
    "parametric_composition.P1",
    false={"a connection around every block": {"compose": skipping}},
)
def test_layers_may_be_bracketed_in_any_way(compose=composed):
    layers = [lambda x: x + 1, lambda x: 3 * x, lambda x: x**2, lambda x: 2 - x]

    def bracketings(block):
        """Models of a block of layers, one for each way to nest its parts."""
        if len(block) == 1:
            return [block[0]]
        return [
            compose([left, right])
            for cut in range(1, len(block))
            for left in bracketings(block[:cut])
            for right in bracketings(block[cut:])
        ]

    models = bracketings(layers)

    assert len(models) == 5
    for x in (F(-2), F(1, 3), F(5)):
        assert {model(x) for model in models} == {compose(layers)(x)} == {2 - (3 * (x + 1)) ** 2}


@statement("parametric_composition.P2", false={"a layer that squares": {"power": 2}})
def test_affine_layers_compose_to_an_affine_model(power=1):
    a, slope, shift, other, last = sympy.symbols("a w1 b1 w2 b2")
    x, y = sympy.symbols("x y")
    model = composed([lambda z: slope * z + shift, lambda z: other * z**power + last])

    assert sympy.expand(model(a * x + (1 - a) * y) - a * model(x) - (1 - a) * model(y)) == 0


MOMENTA = {
    "gd": {},
    "momentum_ema": {"momentum": sympy.Rational(1, 3)},
    "momentum_heavy_ball": {"momentum": sympy.Rational(1, 3)},
    "momentum_torch_dampening": {"momentum": sympy.Rational(1, 3), "dampening": sympy.Rational(1, 5)},
    "momentum_nesterov": {"momentum": sympy.Rational(1, 3)},
}


@statement(
    "convention_sum_vs_mean",
    "convention_sum_vs_mean.P1",
    false={"the same step": {"factor": 1}, "all samples counted": {"factor": 4}},
)
def test_a_sum_with_a_step_is_a_mean_with_the_step_times_the_size(factor=2):
    rate, start = symbol_array("alpha"), symbol_array("theta")
    slopes = [lambda x, a=a: a * x - 1 for a in (1, 2, -3, 5)]
    batches = [(0, 1), (2, 3), (3, 1)]
    in_sum, in_mean = (
        [lambda x, b=b, reduce=reduce: reduce([slopes[i](x) for i in b]) for b in batches]
        for reduce in (batch_sum, batch_mean)
    )

    for id, others in MOMENTA.items():
        summed, _ = trained(get(id), start, in_sum, hyperparameters={"learning_rate": rate, **others})
        averaged, _ = trained(get(id), start, in_mean, hyperparameters={"learning_rate": factor * rate, **others})
        for left, right in zip(summed, averaged, strict=True):
            assert expanded(left - right) == [0]


@statement("convention_sum_vs_mean.P2", false={"equal batches": {"sizes": (2, 2)}})
def test_a_short_last_batch_leaves_no_pair_of_steps_that_agree(sizes=(2, 1)):
    alpha, eta = sympy.symbols("alpha eta", positive=True)
    gradients = [lambda x: 1] * max(sizes)
    differences = []
    for size in sizes:
        summed = sgd_bourmaud_sum(sympy.Integer(0), gradients, range(size), learning_rate=alpha)
        averaged = sgd_minibatch_mean(sympy.Integer(0), gradients, range(size), learning_rate=eta)
        differences.append(summed - averaged)

    assert sympy.solve(differences, [alpha, eta], dict=True) == []


GRADS = [(3, -1), (-2, 5), (1, 4)]
ZERO, ONE = sympy.Integer(0), sympy.Integer(1)
BETAS = {"beta1": sympy.Rational(1, 2), "beta2": sympy.Rational(3, 4)}
ADAPTIVE = {"adagrad": {}, "rmsprop": {"alpha": sympy.Rational(3, 4)}, "adam": BETAS}
INSIDE = {"adagrad_eps_inside": {}, "rmsprop_eps_inside": {"alpha": sympy.Rational(3, 4)}}
LION = {"lion": {**BETAS, "weight_decay": sympy.Rational(1, 7)}}


def scaled_run(id, others, scale):
    """Parameters under gradients of one scale."""
    grads = [SymbolArray(grad) * scale for grad in GRADS]
    start = SymbolArray((sympy.Rational(1, 3), sympy.Integer(2)))
    return trajectory(get(id))(start, grads, hyperparameters={"learning_rate": sympy.Rational(1, 10), **others})[0]


def assert_alike(run, other):
    """Compare parameters, which may hold a positive scale, after every step."""
    for left, right in zip(run, other, strict=True):
        assert [sympy.simplify(difference) for difference in (left - right).elements] == [0, 0]


@statement(
    "convention_sum_vs_mean.P3",
    false={"plain descent": {"formulas": {"gd": {}}}, "a fixed epsilon": {"eps": ONE}},
)
def test_adaptive_steps_do_not_see_a_positive_scale(formulas=(ADAPTIVE | INSIDE | LION), eps=ZERO):
    size = sympy.symbols("n", positive=True)

    for id, others in formulas.items():
        values = {**others, "eps": eps} if "eps" in get(id).hyperparameters else others
        assert_alike(scaled_run(id, values, size), scaled_run(id, values, ONE))


@statement(
    "convention_sum_vs_mean.P3",
    false={
        "epsilon unscaled": {"outside": 0},
        "epsilon multiplied": {"outside": -1},
        "inside as outside": {"inside": 1},
    },
)
def test_epsilon_is_divided_by_the_size_and_inside_the_root_by_its_square(outside=1, inside=2):
    size = sympy.Integer(3)
    eps = sympy.Rational(1, 5)

    for formulas, power in ((ADAPTIVE, outside), (INSIDE, inside)):
        for id, others in formulas.items():
            summed = scaled_run(id, {**others, "eps": eps}, size)
            averaged = scaled_run(id, {**others, "eps": eps / size**power}, ONE)
            assert_alike(summed, averaged)


@statement(
    "convention_sum_vs_mean.P4",
    false={"the same threshold": {"factor": 1}, "the threshold of the square": {"factor": 9}},
)
def test_a_clipping_threshold_is_multiplied_by_the_size(factor=3):
    mean, size = SymbolArray((2, -4, 4)), 3  # of norm 6

    for id, name in (("clip_by_value", "clip_value"), ("clip_by_norm", "max_norm")):
        for threshold in (sympy.Rational(1, 2), sympy.Integer(3), sympy.Integer(5), sympy.Integer(7)):
            clip = get(id).body
            summed = clip(size * mean, **{name: SymbolArray(factor * threshold)})
            averaged = clip(mean, **{name: SymbolArray(threshold)})
            assert expanded(summed - size * averaged) == [0, 0, 0]


@statement(
    "convention_sum_vs_mean.P5",
    false={"the penalty unchanged": {"factor": 1}, "the penalty multiplied": {"factor": sympy.Rational(1, 5)}},
)
def test_a_penalty_beside_the_sum_is_divided_by_the_size_beside_the_mean(factor=5):
    theta, grad, rate, penalty = (symbol_array(name) for name in ("theta", "g", "alpha", "lambda"))
    size = 5
    summed, _ = sgd_l2.body(theta, size * grad, NoState(), learning_rate=rate, l2_penalty=penalty)
    averaged, _ = sgd_l2.body(theta, grad, NoState(), learning_rate=size * rate, l2_penalty=penalty / factor)

    assert expanded(summed - averaged) == [0]


@statement("D005", false={"the same step": {"factor": 1}})
def test_sum_and_mean_are_two_rules_that_a_step_divided_by_the_size_makes_one(factor=2):
    gradients = [lambda _: F(1), lambda _: F(3)]
    rate = F(1)
    averaged = sgd_minibatch_mean(F(0), gradients, (0, 1), learning_rate=rate)

    assert averaged == -2
    assert sgd_bourmaud_sum(F(0), gradients, (0, 1), learning_rate=rate) == -4
    assert sgd_bourmaud_sum(F(0), gradients, (0, 1), learning_rate=rate / factor) == averaged


@statement("D006", false={"the printed sum of the parameters": {"summand": lambda _: lambda theta: theta}})
def test_what_a_batch_adds_up_are_gradients(summand=lambda sample: lambda theta: 2 * (theta - sample)):
    gradients = [summand(sample) for sample in (F(1), F(4), F(7))]

    assert sgd_bourmaud_sum(F(4), gradients, (0, 1, 2), learning_rate=F(1, 10)) == 4  # the minimiser of the sum
    assert sgd_bourmaud_sum(F(4), gradients, (0, 2), learning_rate=F(1, 12)) == 4
    assert sgd_bourmaud_sum(F(4), gradients, (0,), learning_rate=F(1, 12)) == F(7, 2)


@statement(
    "D001",
    false={"the letter of a momentum": {"more": ("m",)}, "the letter of a shift": {"more": ("beta",)}},
)
def test_no_optimizer_takes_a_number_by_a_letter_of_many_meanings(more=()):
    optimizers = [formula for formula in FORMULAS if formula.kind == "optimizer"]

    assert len(optimizers) > 10
    for formula in optimizers:
        names = {*formula.hyperparameters, *more}
        assert "learning_rate" in names
        assert not names & LETTERS
        assert "alpha" not in names or formula.id.startswith("rmsprop")  # the memory, as its document and torch say
