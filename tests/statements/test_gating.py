"""What the documents state about the memory cell, gated linear units and feed-forward blocks."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import sympy

from oracle.activations.gelu import gelu
from oracle.activations.relu import relu
from oracle.activations.sigmoid import sigmoid
from oracle.activations.silu import silu
from oracle.arithmetic.curves import affine, affine_pair
from oracle.arithmetic.symbols import SymbolArray, symbol_array
from oracle.dialects import neighbour
from oracle.gating.blocks import ffn_glu, ffn_glu_hidden_size, ffn_parameters, glu_generic
from oracle.gating.gates import geglu, glu, swiglu
from oracle.gating.lstm import lstm_cell, lstm_hidden, lstm_parameters
from tests.helpers.algebra import vanishes
from tests.helpers.statements import statement

SHAPES = {"x": (1, 2), "w": (2, 1), "b": (1,), "v": (2, 1), "c": (1,)}
TANH, LOGISTIC = (lambda u: u.namespace.tanh(u)), sigmoid.body


def array(name, *shape):
    """Symbols in a shape."""
    count = int(np.prod(shape))
    return symbol_array(" ".join(f"{name}{place}" for place in range(count)) + ("," * (count == 1)), real=True).reshape(
        *shape
    )


def arrays(**changed):
    """Symbols for a gated unit, but for what is given."""
    return [changed.get(name, array(name, *shape)) for name, shape in SHAPES.items()]


def same(left, right):
    return vanishes(left - right)


def flat(value):
    return list(np.ravel(value.elements))


def wrong(formula, change):
    return neighbour(formula, f"{formula.id}_{change}")


# -- Long short-term memory ------------------------------------------------------------------------------------------


@statement(
    "lstm_cell.P1",
    false={
        "nothing is forgotten": {"cell": wrong(lstm_cell, "forget_missing")},
        "twice the candidate": {"most": sympy.Rational(1, 2)},
    },
)
def test_a_cell_grows_by_less_than_one_in_a_step(cell=lstm_cell, most=1):
    x, h, w, u, b = array("x", 1, 1), array("h", 1, 1), array("w", 4, 1, 1), array("u", 4, 1, 1), array("b", 4, 1)
    state = array("c", 1, 1)
    (new,) = flat(cell.body(x, h, state, w, u, b))
    forget, entry, candidate = sympy.symbols("F I C")
    argument = [flat(affine_pair(x, w[gate], h, u[gate], b[gate]))[0] for gate in range(4)]
    logistic = [flat(LOGISTIC(SymbolArray(value)))[0] for value in argument]
    read = new.subs({logistic[0]: forget, logistic[1]: entry, sympy.tanh(argument[3]): candidate})

    # Proportions of the old cell and of a number between -1 and 1: each term is smaller than its factor.
    assert sympy.expand(read - (forget * flat(state)[0] + entry * candidate)) == 0
    assert all(0 < sympy.N(value.subs(dict.fromkeys(value.free_symbols, 3))) < 1 for value in logistic)
    (shown,) = flat(lstm_hidden.body(x, h, state, w, u, b))
    assert sympy.simplify(shown - logistic[2] * sympy.tanh(flat(lstm_cell.body(x, h, state, w, u, b))[0])) == 0
    # Over t steps the growth adds up to less than t, and may come as near to it as one likes.
    wide = sympy.Integer(200)
    open_gates = SymbolArray(np.array([wide, wide, wide, wide], dtype=object).reshape(4, 1))
    zeros = SymbolArray(np.zeros((4, 1, 1)))
    kept = SymbolArray(np.array([[sympy.Integer(5)]], dtype=object))
    for t in range(1, 4):
        kept = lstm_cell.body(0 * x, 0 * h, kept, zeros, zeros, open_gates)
        (reached,) = (sympy.N(value, 250) for value in flat(kept))
        assert 5 + t * most - sympy.Rational(1, 10**60) < reached < 5 + t * most


@statement(
    "lstm_cell",
    "lstm_cell.P3",
    "lstm_cell.P4",
    "D069",
    false={
        "gates exchanged": {"cell": wrong(lstm_cell, "gates_swapped"), "slopes": False},
        "coupled": {"cell": wrong(lstm_cell, "coupled")},
        "a forget bias of one": {"cell": wrong(lstm_cell, "forget_bias_one")},
        "a rectifier": {"hidden": wrong(lstm_hidden, "unsquashed")},
        "a logistic candidate": {"cell": wrong(lstm_cell, "candidate_logistic")},
    },
)
def test_the_direct_path_through_the_cell_is_the_forget_gate(cell=lstm_cell, hidden=lstm_hidden, slopes=True):
    x, h, w, u, b = array("x", 1, 2), array("h", 1, 2), array("w", 4, 2, 2), array("u", 4, 2, 2), array("b", 4, 2)
    state = array("c", 1, 2)
    new = flat(cell.body(x, h, state, w, u, b))
    forget, entry = (flat(LOGISTIC(affine_pair(x, w[gate], h, u[gate], b[gate]))) for gate in (0, 1))
    candidate = flat(TANH(affine_pair(x, w[3], h, u[3], b[3])))

    assert same(
        SymbolArray(new),
        SymbolArray([f * c + i * g for f, c, i, g in zip(forget, flat(state), entry, candidate, strict=True)]),
    )
    for (i, value), (j, old) in itertools.product(enumerate(new), enumerate(flat(state))):
        assert sympy.diff(value, old) == (forget[i] if i == j else 0)
    # Without parameters the cell is halved at every step.
    zero = [SymbolArray(np.zeros(array.shape)) for array in (w, u, b)]
    kept, shown = state, h
    for t in range(1, 4):
        kept, shown = cell.body(x, shown, kept, *zero), hidden.body(x, shown, kept, *zero)
        assert same(kept, state / 2**t)
        assert same(shown, TANH(kept) / 2)


@statement("lstm_cell.P5", false={"two biases": {"biases": 2}, "three gates": {"gates": 3}})
def test_a_memory_cell_has_four_maps_of_input_and_state(biases=1, gates=4):
    for d, h in itertools.product(range(1, 4), repeat=2):
        parameters = array("w", 4, d, h), array("u", 4, h, h), array("b", 4, h)
        assert sum(each.size for each in parameters) == lstm_parameters(d, h, biases=biases)
        assert lstm_parameters(d, h, biases=biases) == gates * (h * (h + d) + h)


# -- Gated linear units ----------------------------------------------------------------------------------------------


@statement(
    "glu.C1",
    "glu.P1",
    false={
        "a tangent for the gate": {"f": lambda *a: affine(*a[:3]) * TANH(affine(a[0], *a[3:]))},
        "branches exchanged": {"f": wrong(glu, "swapped").body},
    },
)
def test_a_gate_lets_a_proportion_through(f=glu.body):
    x, w, b, v, c = arrays()
    (result,), (linear,) = flat(f(x, w, b, v, c)), flat(affine(x, w, b))
    share = sympy.simplify(result / linear)
    (gate,) = flat(affine(x, v, c))
    s = sympy.Symbol("s", real=True)

    # A proportion: of one sign, and below 1, so that nothing grows and no sign changes.
    assert not share.has(*flat(w), *flat(b))
    told = share.subs(gate, s)
    assert all(0 < sympy.N(share.subs(dict.fromkeys(share.free_symbols, value)), 30) < 1 for value in (-4, -1, 0, 2, 3))
    assert sympy.simplify(told - 1 / (1 + sympy.exp(-s))) == 0


@statement("glu.P2", false={"a tangent": {"half": 0}, "branches exchanged": {"f": wrong(glu, "swapped").body}})
def test_a_settled_gate_gives_half_all_or_nothing(f=glu.body, half=sympy.Rational(1, 2)):
    none = SymbolArray(np.zeros((2, 1)))
    x, w, b, _, _ = arrays()
    bias = sympy.Symbol("t", real=True)
    (result,), (linear,) = flat(f(x, w, b, none, SymbolArray([bias]))), flat(affine(x, w, b))

    assert sympy.expand(result.subs(bias, 0) - half * linear) == 0
    assert sympy.expand(sympy.limit(result, bias, sympy.oo) - linear) == 0
    assert sympy.limit(result, bias, -sympy.oo) == 0


@statement("glu.P3", false={"GEGLU": {"f": geglu.body}, "branches exchanged": {"f": wrong(glu, "swapped").body}})
def test_glu_is_linear_in_its_first_map_and_not_in_its_input(f=glu.body):
    x, w, b, v, c = arrays()
    w2, b2, t = array("m", 2, 1), array("n", 1), sympy.Symbol("t", real=True)

    assert same(f(x, w + t * w2, b + t * b2, v, c), f(x, w, b, v, c) + t * f(x, w2, b2, v, c))
    assert not same(f(2 * x, w, 0 * b, v, c), 2 * f(x, w, 0 * b, v, c))


@statement("glu.P5", false={"the slope left out": {"steep": False}, "GEGLU": {"f": geglu.body}})
def test_the_differential_of_glu_is_that_of_a_product(f=glu.body, steep=True):
    x, w, b, v, c = arrays()
    du, dv = sympy.symbols("du dv", real=True)
    moved, (u,), (s,) = f(x, w, b + du, v, c + dv), flat(affine(x, w, b)), flat(affine(x, v, c))
    gate = 1 / (1 + sympy.exp(-s))
    (value,) = flat(moved)
    slope = gate * (1 - gate) if steep else 1

    for change, told in ((du, gate), (dv, u * slope)):
        assert sympy.simplify(sympy.diff(value, change).subs({du: 0, dv: 0}) - told) == 0


@statement("D067", false={"two bilinear maps": {"activation": lambda u: u}})
def test_the_printed_gate_stands_on_the_other_branch_than_in_the_variants(activation=LOGISTIC):
    x, w, b, v, c = arrays()

    assert same(glu.body(x, w, b, v, c), glu_generic(x, v, c, w, b, activation=LOGISTIC))
    assert same(geglu.body(x, w, b, v, c), glu_generic(x, w, b, v, c, activation=gelu.body))
    assert not same(
        glu_generic(x, w, b, v, c, activation=activation), glu_generic(x, v, c, w, b, activation=activation)
    )


@statement("D068", false={"the same weights": {"second": (1, 0)}})
def test_one_set_of_weights_for_all_layers_is_a_narrower_family(second=(2, -1)):
    x, none = SymbolArray(np.array([[1]])), SymbolArray(np.zeros((1, 1)))

    def stacked(*layers):
        value = x
        for weight, bias in layers:
            value = glu.body(value, SymbolArray(np.array([[weight]])), SymbolArray(np.array([bias])), none, none[0])
        return flat(value)

    # Closed at a half, a layer halves its linear map: twice with the same weights, a quarter is left.
    assert stacked((1, 0), (1, 0)) == [sympy.Rational(1, 4)]
    assert stacked((1, 0), second) != [sympy.Rational(1, 4)]


UNITS = {geglu: gelu, swiglu: silu}


@statement(
    "geglu.P1",
    "geglu.P2",
    "swiglu.P1",
    "swiglu.P2",
    false={
        "branches exchanged": {"change": "{}_swapped"},
        "no activation": {"change": "glu_bilinear"},
        "a lost bias": {"change": "{}_without_bias"},
    },
)
def test_the_variants_are_an_activation_times_a_linear_map(change=""):
    x, w, b, v, c = arrays()
    none, one = 0 * v, 0 * c + 1
    t, v2, c2 = sympy.Symbol("t", real=True), array("m", 2, 1), array("n", 1)
    for unit, activation in UNITS.items():
        f = (neighbour(unit, change.format(unit.id)) if change else unit).body
        assert same(f(x, w, b, v + t * v2, c + t * c2), f(x, w, b, v, c) + t * f(x, w, b, v2, c2))
        assert same(f(x, w, b, none, one), activation.body(affine(x, w, b)))
        assert same(f(x, 0 * w, 0 * b, v, c), 0 * affine(x, v, c))
        assert same(f(x, v, c, w, b), activation.body(affine(x, v, c)) * affine(x, w, b))
    assert same(swiglu.body(x, w, b, v, c), glu.body(x, w, b, w, b) * affine(x, v, c))


#: A little more than how far the activation of each unit falls below 0, and where it does.
DEPTHS = {geglu: ("0.169971208", "-0.751791524693564"), swiglu: ("0.278464543", "-1.27846454276107")}


@statement(
    "geglu.P3",
    "swiglu.P1",
    false={
        "another depth": {"depths": {geglu: ("0.1699", DEPTHS[geglu][1])}},
        "another depth of SiLU": {"depths": {swiglu: ("0.2784", DEPTHS[swiglu][1])}},
        "the other activation": {"activations": {geglu: silu, swiglu: gelu}},
        "branches exchanged": {"change": "{}_swapped"},
        "no activation": {"change": "glu_bilinear"},
    },
)
def test_a_unit_is_bounded_on_the_side_of_its_activation(depths=DEPTHS, activations=UNITS, change=""):
    u, weight = sympy.Symbol("u", real=True), sympy.Symbol("p", positive=True)
    one = SymbolArray(np.array([[1]]))
    for gated, (depth, place) in depths.items():
        block = (neighbour(gated, change.format(gated.id)) if change else gated).body

        def unit(u, w, block=block):
            """The unit of one number as a function of what its two maps give."""
            return flat(block(0 * one, one, SymbolArray([u]), one, SymbolArray([w])))[0]

        assert sympy.expand(unit(u, weight) - flat(activations[gated].body(SymbolArray(u)))[0] * weight) == 0
        # No activation is anywhere below minus its depth (gelu.P4, silu.P3): nor, times a positive weight, the unit.
        lowest = sympy.N(unit(sympy.Rational(place), 1))
        assert -sympy.Rational(depth) < lowest < sympy.Rational(1, 10**8) - sympy.Rational(depth)
        assert sympy.simplify(unit(u, -weight) + unit(u, weight)) == 0
        assert sympy.limit(unit(u, weight) / (u * weight), u, sympy.oo) == 1


@statement(
    "glu_generic",
    "glu_generic.P1",
    "glu_generic.C1",
    "geglu",
    "swiglu",
    "glu",
    false={
        "branches exchanged": {
            "f": lambda x, w, b, v, c, activation: glu_generic(x, v, c, w, b, activation=activation)
        },
        "an activation on both": {
            "f": lambda x, w, b, v, c, activation: activation(affine(x, w, b)) * activation(affine(x, v, c))
        },
    },
)
def test_any_activation_makes_a_block(f=glu_generic):
    x, w, b, v, c = arrays()

    bilinear = f(x, w, b, v, c, activation=lambda u: u)
    assert same(bilinear, f(x, v, c, w, b, activation=lambda u: u))
    assert same(bilinear, affine(x, w, b) * affine(x, v, c))
    assert same(f(x, v, c, w, b, activation=LOGISTIC), glu.body(x, w, b, v, c))
    assert same(f(x, w, b, v, c, activation=gelu.body), geglu.body(x, w, b, v, c))
    assert same(f(x, w, b, v, c, activation=silu.body), swiglu.body(x, w, b, v, c))
    assert same(f(x, w, b, v, c, activation=relu.body), relu.body(affine(x, w, b)) * affine(x, v, c))
    assert same(f(x, w, b, v, c, activation=lambda u: 0 * u + 1), affine(x, v, c))


# -- Feed-forward blocks ---------------------------------------------------------------------------------------------


def block():
    """Symbols for a block of two features and two hidden units, of two positions."""
    return array("x", 2, 2), array("w", 2, 2), array("v", 2, 2), array("z", 2, 2)


@statement(
    "ffn_glu",
    "ffn_glu.P1",
    "ffn_glu.C1",
    false={
        "positions mixed": {"f": lambda x, w, v, w2, activation: ffn_glu(x + x[::-1], w, v, w2, activation=activation)}
    },
)
def test_a_feed_forward_block_sees_one_position_at_a_time(f=ffn_glu):
    x, w, v, w2 = block()
    whole = f(x, w, v, w2, activation=silu.body)

    for place in range(2):
        alone = f(x[place : place + 1], w, v, w2, activation=silu.body)
        assert same(alone, whole[place : place + 1])
    assert same(f(x[::-1], w, v, w2, activation=silu.body), whole[::-1])
    # No bias is left of two maps and a gate: the block is what their matrices make of x.
    gated = silu.body(x.namespace.matmul(x, w)) * x.namespace.matmul(x, v)
    assert same(whole, x.namespace.matmul(gated, w2))


@statement(
    "ffn_glu.P2",
    false={
        "a bias": {"f": lambda x, w, v, w2, activation: ffn_glu(x, w, v, w2, activation=activation) + 1},
        "linear in W": {"place": 1},
    },
)
def test_a_feed_forward_block_is_linear_in_two_of_its_matrices(f=ffn_glu, place=2):
    x, *matrices = block()
    t, other = sympy.Symbol("t", real=True), array("m", 2, 2)
    for number in {place, 3}:
        moved, replaced = list(matrices), list(matrices)
        moved[number - 1], replaced[number - 1] = matrices[number - 1] + t * other, other
        told = f(x, *matrices, activation=silu.body) + t * f(x, *replaced, activation=silu.body)
        assert same(f(x, *moved, activation=silu.body), told)
    assert same(f(0 * x, *matrices, activation=silu.body), 0 * x)


@statement(
    "ffn_glu.P3",
    false={
        "rows alone": {"rows_too": False},
        "scaled before SiLU": {"scaled": silu},
        "negative ones past a rectifier": {"sign": -1},
        "negative ones past a line": {"kept": lambda u: u},
        "a factor that is lost": {"inverse": lambda factors: 1 / factors**2},
    },
)
def test_hidden_units_may_be_permuted_and_their_factors_moved(
    rows_too=True, scaled=relu, sign=1, kept=relu.body, inverse=lambda factors: 1 / factors
):
    x, w, v, w2 = block()
    plain = ffn_glu(x, w, v, w2, activation=silu.body)
    factors = SymbolArray(list(sympy.symbols("p q", real=True, nonzero=True)))

    turned = ffn_glu(x, w[:, ::-1], v[:, ::-1], w2[::-1] if rows_too else w2, activation=silu.body)
    assert same(turned, plain)
    down = w2 * inverse(factors).reshape(2, 1)
    assert same(ffn_glu(x, w, v * factors, down, activation=silu.body), plain)
    factors = sign * SymbolArray(list(sympy.symbols("r s", positive=True)))
    down = w2 / factors.reshape(2, 1)
    body = scaled.body
    signed = [SymbolArray(array.elements) for array in (x, w, v)]
    point = {
        symbol: sympy.Rational(3 * place % 7 - 3, 2)
        for place, symbol in enumerate(sorted(set().union(*(e.free_symbols for a in (x, w) for e in flat(a))), key=str))
    }
    x, w, v = (
        SymbolArray.wrap(np.vectorize(lambda e: e.subs(point), otypes=[object])(array.elements)) for array in signed
    )
    assert same(ffn_glu(x, w * factors, v, down, activation=body), ffn_glu(x, w, v, w2, activation=body))
    assert not same(ffn_glu(x, -w * factors, v, -down, activation=kept), ffn_glu(x, w, v, w2, activation=kept))


@statement(
    "ffn_glu_hidden_size",
    "ffn_glu_hidden_size.P1",
    "ffn_glu_hidden_size.P3",
    "D070",
    false={"a half": {"factor": F(1, 2)}, "the same": {"factor": F(1)}},
)
def test_two_thirds_of_the_width_keep_the_parameters(factor=None):
    def width(hidden):
        return ffn_glu_hidden_size(hidden) if factor is None else factor * hidden

    for d, hidden in itertools.product((1, 3, 64), range(1, 40)):
        assert ffn_parameters(d, width(hidden), gated=True, biases=False) == ffn_parameters(
            d, hidden, gated=False, biases=False
        )
        assert (width(hidden).denominator == 1) == (hidden % 3 == 0)
        rounded = ffn_parameters(d, round(width(hidden)), gated=True, biases=False)
        assert abs(rounded - 2 * d * hidden) <= d
    assert width(3072) == 2048


@statement("ffn_glu_hidden_size.P2", false={"two thirds": {"biases": False}, "one more": {"extra": 1}})
def test_with_biases_the_balance_is_a_little_lower(biases=True, extra=0):
    for d, hidden in itertools.product((1, 3, 512), (1, 5, 2048)):
        narrow = ffn_glu_hidden_size(hidden, width=d, biases=biases)
        assert ffn_parameters(d, narrow, gated=True, biases=True) == 3 * d * narrow + 2 * narrow + d + extra
        assert ffn_parameters(d, narrow, gated=True, biases=True) == 2 * d * hidden + hidden + d
    assert round(ffn_glu_hidden_size(2048, width=512, biases=biases), 3) == F("1364.889")
    assert round(ffn_glu_hidden_size(2048), 3) == F("1365.333")
