"""The chain rule and backpropagation: what the documents state of them, proved on the catalogue's own bodies."""

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.differentiation.activations import relu_vjp, sigmoid_vjp, softmax_vjp
from oracle.differentiation.chain import backpropagated, chain_rule, chain_rule_rows
from oracle.differentiation.layers import LinearGradients, linear, linear_vjp
from oracle.differentiation.losses import loss_cross_entropy_gradient, loss_squared_error_gradient
from oracle.differentiation.mlp import Layer, Pass, mlp_forward, mlp_forward_backward
from oracle.losses.cross_entropy import loss_cross_entropy
from oracle.losses.regression import loss_squared_error
from oracle.losses.softmax import softmax
from tests.helpers.algebra import expression, expressions, vanishes
from tests.helpers.statements import statement

X = symbol_array("x0 x1", real=True)
ONE = SymbolArray([1])


def matrix(name, rows, columns):
    names = " ".join(f"{name}{row}{column}" for row, column in itertools.product(range(rows), range(columns)))
    return symbol_array(names, real=True).reshape(rows, columns)


def rationals(rng, *shape):
    return np.array([F(int(k), 8) for k in rng.integers(-24, 25, int(np.prod(shape)))], dtype=object).reshape(shape)


def jacobian(y, x):
    return SymbolArray.wrap(np.array(sympy.Matrix(expressions(y)).jacobian(expressions(x)), dtype=object))


def partials(value, array):
    found = [sympy.diff(expression(value), symbol) for symbol in expressions(array)]
    return SymbolArray(found).reshape(*array.shape)


def curved(x):
    """A function of two numbers with three values."""
    a, b = x[0], x[1]
    return SymbolArray([expression(a * b), expression(sigmoid.body(a)), expression(a - b**2)])


def cost(y):
    """A scalar of three numbers."""
    return loss_squared_error.body(y, SymbolArray([1, 2, 3]))


def transposed(upstream, derivative):
    """What another layout of the Jacobian makes of a row."""
    return chain_rule(upstream, SymbolArray.wrap(derivative.elements.T.reshape(derivative.shape)))


@statement(
    "chain_rule_elementwise",
    "chain_rule_elementwise.C1",
    false={"the other layout": {"rule": transposed}, "half": {"rule": lambda v, j: chain_rule(v, j) / 2}},
)
def test_the_derivative_of_a_scalar_cost_of_a_composition_is_the_sum_over_what_lies_between(rule=chain_rule):
    y = curved(X)
    upstream = loss_squared_error_gradient.body(y, SymbolArray([1, 2, 3]))

    assert vanishes(rule(upstream, jacobian(y, X)) - partials(cost(y), X))


class Dual:
    """A number with a derivative: enough of its arithmetic for a polynomial."""

    def __init__(self, value, slope=F(0)):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)


@statement(
    "chain_rule_elementwise.P1",
    false={
        "forward differences": {"back": 0},
        "of third order": {"order": 3},
        "complex numbers of another sign": {"unit": -1},
    },
)
def test_it_agrees_with_differences_complex_steps_and_dual_numbers(back=1, order=2, unit=1):
    """For all polynomials of degree 2, inside and outside."""
    x, h = sympy.symbols("x h", real=True)
    a, b, c = (sympy.symbols(f"{name}0:{count}", real=True) for name, count in (("a", 3), ("b", 3), ("c", 6)))

    def inner(x, number=lambda value: value):
        return [(number(p[2]) * x + number(p[1])) * x + number(p[0]) for p in (a, b)]

    def outer(y, number=lambda value: value):
        (u, v), (k0, k1, k2, k3, k4, k5) = y, map(number, c)
        return (k5 * u + k4 * v + k2) * u + (k3 * v + k1) * v + k0

    places = sympy.symbols("u v", real=True)
    at = dict(zip(places, inner(x), strict=True))
    upstream = np.array([sympy.diff(outer(places), place).subs(at) for place in places], dtype=object)
    (slope,) = chain_rule(upstream, np.array([[sympy.diff(value, x)] for value in inner(x)], dtype=object))
    step = x + unit * sympy.I * h
    imaginary = sympy.expand(sympy.im(sympy.expand(outer(inner(step)))))
    difference = sympy.expand(outer(inner(x + h)) - outer(inner(x - back * h))) / ((1 + back) * h)

    dual = outer(inner(Dual(x, sympy.Integer(1)), Dual), Dual)
    assert vanishes(dual.value - outer(inner(x)))
    assert vanishes(dual.slope - slope)
    gap = sympy.expand(sympy.expand(difference) - slope)
    assert min(power for (power,), _ in sympy.Poly(gap, h).terms()) == order
    assert vanishes(sympy.Poly(imaginary, h).coeff_monomial(h) - slope)


@statement(
    "chain_rule_elementwise.P2", false={"without the transposition": {"turned": False}, "with the shift": {"shift": 1}}
)
def test_through_an_affine_map_a_gradient_is_multiplied_by_the_transpose(turned=True, shift=0):
    a, b = matrix("a", 3, 2), symbol_array("b0 b1 b2", real=True)
    y = linear(X.reshape(1, 2), a, b).reshape(3)
    gradient = loss_squared_error_gradient.body(y, SymbolArray([1, 2, 3]))
    left = a.elements.T if turned else a.elements.reshape(2, 3)

    assert vanishes(partials(cost(y), X) - SymbolArray.wrap(left @ gradient.elements) - shift * b[0])
    assert vanishes(linear_vjp(X.reshape(1, 2), a, gradient.reshape(1, 3)).x - partials(cost(y), X).reshape(1, 2))


def repeated(x, y):
    """The printed first row, which has the second derivative in both places."""
    found = jacobian(y, x).elements.copy()
    found[:, 0] = found[:, 1]
    return SymbolArray.wrap(found)


def of_the_cost(x, y):
    """The printed rows: derivatives of the cost where those of the functions belong."""
    upstream = loss_squared_error_gradient.body(y, SymbolArray([1, 2, 3])).elements
    return SymbolArray.wrap(np.stack([upstream, upstream], axis=1))


@statement(
    "chain_rule_jacobian",
    "chain_rule_jacobian.P1",
    "chain_rule_jacobian.P2",
    "D083",
    "D084",
    false={
        "the printed first component": {"derivative": repeated},
        "the printed rows": {"derivative": of_the_cost},
        "the printed column": {"column": True},
    },
)
def test_a_row_times_the_jacobian_is_the_row_of_the_sums(derivative=lambda x, y: jacobian(y, x), column=False):
    y = curved(X)
    upstream = loss_squared_error_gradient.body(y, SymbolArray([1, 2, 3]))
    try:
        row = chain_rule_rows(upstream.reshape(*((3, 1) if column else (1, 3))), derivative(X, y))
    except ValueError as error:
        raise AssertionError("a column has no product with the Jacobian") from error

    assert row.shape == (1, 2)
    assert vanishes(row.reshape(2) - chain_rule(upstream, jacobian(y, X)))
    assert vanishes(row.reshape(2) - partials(cost(y), X))


@statement("chain_rule_jacobian.P3", false={"the matrices exchanged": {"exchanged": True}})
def test_forward_and_reverse_accumulation_give_the_same_row(exchanged=False):
    rng = np.random.default_rng(0)
    row, outer, inner = rationals(rng, 1, 3), rationals(rng, 3, 3), rationals(rng, 3, 3)
    pair = (inner, outer) if exchanged else (outer, inner)
    reverse = chain_rule_rows(chain_rule_rows(row, outer), inner)
    forward = chain_rule_rows(row, chain_rule_rows(*pair))

    assert (reverse == forward).all()


# -- Backpropagation -------------------------------------------------------------------------------------------------


def pulled(x, upstream):
    """Logistic functions' vector-Jacobian product."""
    return sigmoid_vjp.body(x, upstream)


def without_linearity(x, upstream):
    return sigmoid_vjp.body(x, upstream) * upstream


def doubled(x, upstream):
    return 2 * sigmoid_vjp.body(x, upstream)


@statement(
    "backprop_vjp.P1",
    "backprop_vjp.P4",
    false={
        "squared cotangents": {"pullback": without_linearity},
        "an affine one": {"pullback": lambda x, v: pulled(x, v) + 1},
    },
)
def test_what_comes_back_is_linear_in_the_cotangent(pullback=pulled):
    v, w = symbol_array("v0 v1", real=True), symbol_array("w0 w1", real=True)
    a, b = symbol_array("a", real=True), symbol_array("b", real=True)

    for each in (pullback, softmax_vjp.body) if pullback is pulled else (pullback,):
        assert vanishes(each(X, a * v + b * w) - a * each(X, v) - b * each(X, w))
        assert vanishes(each(X, 0 * v))
        assert vanishes(each(X, a + 0 * v) - a * each(X, 1 + 0 * v))  # the seed


@statement(
    "backprop_vjp",
    "backprop_vjp.P2",
    "D085",
    false={
        "the tilde for a derivative at the output": {"inner": lambda x, v: sigmoid_vjp.body(sigmoid.body(x), v)},
        "the tilde for a function": {"inner": lambda x, v: sigmoid.body(x) * v},
        "twice as much": {"inner": doubled},
    },
)
def test_a_composition_carries_back_what_its_parts_carry_one_after_another(inner=pulled):
    y = sigmoid.body(X)
    target = SymbolArray([1, 2])
    seed = ONE[0]
    pullbacks = [
        lambda v: inner(X, v),
        lambda v: v * loss_squared_error_gradient.body(y, target),
    ]

    assert vanishes(backpropagated(pullbacks, seed) - partials(loss_squared_error.body(y, target), X))
    assert vanishes(backpropagated(pullbacks, seed) - inner(X, loss_squared_error_gradient.body(y, target)))


@statement(
    "backprop_vjp.P3",
    false={"twice as much": {"pullback": doubled}, "the cotangent itself": {"pullback": lambda x, v: v}},
)
def test_cotangents_and_tangents_have_one_product(pullback=pulled):
    v, u = symbol_array("v0 v1", real=True), symbol_array("u0 u1", real=True)
    pushed = SymbolArray.wrap(jacobian(sigmoid.body(X), X).elements @ u.elements)

    assert vanishes(sum(expressions(v * pushed)) - sum(expressions(pullback(X, v) * u)))
    row = jacobian(softmax.body(X), X)
    assert vanishes(SymbolArray.wrap(v.elements @ row.elements) - softmax_vjp.body(X, v))


@statement("backprop_vjp.P5", false={"one of them alone": {"both": 0}, "the mean": {"both": sympy.Rational(1, 2)}})
def test_cotangents_of_a_value_that_is_used_twice_are_added(both=1):
    v, w = symbol_array("v0 v1", real=True), symbol_array("w0 w1", real=True)
    value = sum(expressions(v * sigmoid.body(X))) + sum(expressions(w * softmax.body(X)))

    assert vanishes(partials(value, X) - sigmoid_vjp.body(X, v) - both * softmax_vjp.body(X, w))


# -- Layers and networks ---------------------------------------------------------------------------------------------


def weight_transposed(x, weight, upstream):
    found = linear_vjp(x, weight, upstream)
    return LinearGradients(found.x, SymbolArray.wrap(found.weight.elements.T.reshape(weight.shape)), found.bias)


@statement(
    "mlp_forward_backward.P1",
    false={
        "the weights' gradient transposed": {"pullback": weight_transposed},
        "a bias divided by the samples": {"share": 2},
    },
)
def test_a_layer_carries_back_a_product_of_rank_one_for_each_sample(pullback=linear_vjp, share=1):
    x, weight, bias = matrix("x", 2, 3), matrix("w", 2, 3), symbol_array("b0 b1", real=True)
    upstream = matrix("v", 2, 2)
    value = sum(expressions(upstream * linear(x, weight, bias)))
    found = pullback(x, weight, upstream)

    assert vanishes(found.x - partials(value, x))
    assert vanishes(found.weight - partials(value, weight))
    assert vanishes(found.bias / share - partials(value, bias))
    alone = pullback(x[:1], weight, upstream[:1])
    assert sympy.Matrix(alone.weight.elements).rank() == 1
    assert vanishes(alone.bias - upstream[0])


def network(seed=3):
    """Parameters and samples whose rectifiers are off somewhere, and nowhere at their corners."""
    rng = np.random.default_rng(seed)
    shapes = ((3, 2), (2, 3), (2, 2))
    layers = [Layer(rationals(rng, *shape), rationals(rng, shape[0])) for shape in shapes]
    x = rationals(rng, 2, 2)
    hidden = mlp_forward(x, layers)[:-1]
    signs = {bool(value > 0) for each in hidden for value in each.ravel()}
    assert signs == {True, False}
    assert all(value != 0 for each in hidden for value in each.ravel())
    return x, layers


def backward_without_mask(x, layers, cost_gradient):
    """A backward pass that forgets the rectifiers."""
    returned = mlp_forward(x, layers)
    upstream, found = cost_gradient(returned[-1]), []
    for number in reversed(range(len(layers))):
        taken = relu.body(returned[number - 1]) if number else x
        found.append(linear_vjp(taken, layers[number].weight, upstream))
        upstream = found[-1].x
    return Pass(returned[-1], tuple(reversed(found)))


def backward_of_linear_inputs(x, layers, cost_gradient):
    """A backward pass that kept what came before the rectifiers."""
    found = mlp_forward_backward(x, layers, cost_gradient)
    returned = mlp_forward(x, layers)
    upstream = cost_gradient(returned[-1])
    last = linear_vjp(returned[-2], layers[-1].weight, upstream)
    return Pass(found.output, (*found.gradients[:-1], last))


@statement(
    "mlp_forward_backward",
    "mlp_forward_backward.P2",
    false={
        "without the mask": {"run": backward_without_mask},
        "inputs before the rectifier": {"run": backward_of_linear_inputs},
    },
)
def test_every_gradient_is_the_exact_difference_of_the_cost(run=mlp_forward_backward):
    x, layers = network()
    target = np.array([[F(1), F(2)], [F(3), F(-1)]], dtype=object)
    found = run(x, layers, lambda output: loss_squared_error_gradient.body(output, target))
    step = F(1, 2**12)

    def value(changed):
        return loss_squared_error.body(mlp_forward(x, changed)[-1], target)

    # The cost is a polynomial of degree 2 in each parameter where no rectifier turns: central differences are exact.
    for number, layer in enumerate(layers):
        for name in ("weight", "bias"):
            for place in np.ndindex(getattr(layer, name).shape):
                ends = []
                for sign in (1, -1):
                    moved = getattr(layer, name).copy()
                    moved[place] += sign * step
                    ends.append(value([*layers[:number], layer._replace(**{name: moved}), *layers[number + 1 :]]))
                assert getattr(found.gradients[number], name)[place] == (ends[0] - ends[1]) / (2 * step)


def with_bias(layers):
    return [Layer(layer.weight, layer.bias + F(1, 4)) for layer in layers]


@statement("mlp_forward_backward.P3", false={"with biases": {"prepared": with_bias}, "degree 2": {"degree": 2}})
def test_without_biases_every_layer_s_weights_and_gradients_have_the_output_as_product(prepared=list, degree=1):
    outputs = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shapes = ((3, 2), (2, 3), (4, 2), (1, 4))[-1 - seed % 4 :]
        x = rationals(rng, 1, shapes[0][1])
        weights = [rationals(rng, *shape) for shape in shapes]
        bare = prepared([Layer(weight, np.array([F(0)] * len(weight), dtype=object)) for weight in weights])
        found = mlp_forward_backward(x, bare, lambda output: np.full(output.shape, F(1), dtype=object))
        outputs.append(found.output[0, 0])

        for layer, gradient in zip(bare, found.gradients, strict=True):
            assert np.sum(layer.weight * gradient.weight) == degree * outputs[-1]
        for number, layer in enumerate(bare):
            scaled = [*bare[:number], Layer(3 * layer.weight, layer.bias), *bare[number + 1 :]]
            assert mlp_forward(x, scaled)[-1][0, 0] == 3**degree * outputs[-1]
    assert sum(output != 0 for output in outputs) >= 8


@statement(
    "mlp_forward_backward.P4",
    false={
        "softmax alone": {"gradient": lambda s, y: softmax.body(s)},
        "through softmax once more": {
            "gradient": lambda s, y: softmax_vjp.body(s, loss_cross_entropy_gradient.body(s, y))
        },
    },
)
def test_the_way_back_of_a_classifier_begins_with_the_probability_less_the_label(
    gradient=loss_cross_entropy_gradient.body,
):
    def positive(names, *shape):
        return symbol_array(names, positive=True).reshape(*shape)

    # Positive numbers, through which no rectifier cuts.
    x, labels = positive("x0 x1", 1, 2), np.array([1])
    layers = [
        Layer(positive("w0 w1 w2 w3", 2, 2), positive("b0 b1", 2)),
        Layer(matrix("u", 3, 2), symbol_array("c0 c1 c2", real=True)),
    ]
    found = mlp_forward_backward(x, layers, lambda scores: gradient(scores, labels))
    value = loss_cross_entropy.body(found.output, labels)

    assert vanishes(found.gradients[-1].bias - (softmax.body(found.output)[0] - SymbolArray([0, 1, 0])))
    assert vanishes(found.gradients[-1].bias - partials(value, layers[-1].bias))
    assert vanishes(found.gradients[0].weight - partials(value, layers[0].weight))


@statement("mlp_forward_backward", false={"a slope at zero": {"at_zero": 1}, "negative numbers, too": {"below": 1}})
def test_a_rectifier_lets_the_cotangents_of_positive_numbers_through(at_zero=0, below=0):
    v = symbol_array("v0 v1 v2", real=True)

    assert vanishes(relu_vjp.body(SymbolArray([3, 0, -2]), v) - v * SymbolArray([1, at_zero, below]))
