"""What the documents state about gradient clipping, in rational arithmetic on the catalogue's own bodies."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction as F

import numpy as np
import sympy
import torch

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import ALIASES, FORMULAS, get
from oracle.dialects import neighbour
from oracle.examples.clipping import clip_geometry_points, quadratic_descent, two_cycle
from oracle.formula import NoState
from tests.helpers.statements import statement

GD, VALUE, NORM = get("gd"), get("clip_by_value"), get("clip_by_norm")
TENTH = F(1, 10)
THRESHOLDS = (F(1, 2), F(1), F(5, 2), F(13))
PLANE = list(itertools.product((F(-3), F(-1), F(-1, 2), F(0), F(3, 4), F(2)), repeat=2))
VECTORS = [*PLANE, (F(3), F(-1), F(1, 4)), (F(1), F(1), F(-1)), (F(9), F(1), F(1), F(-1)), (F(1, 5), F(0), F(0), F(7))]
#: Vectors whose Euclidean norm is rational.
LENGTHY = [
    (F(0), F(0)),
    (F(3), F(4)),
    (F(-5, 13), F(12, 13)),
    (F(8), F(-15)),
    (F(-3, 2), F(-2)),
    (F(0), F(2)),
    (F(1), F(2), F(-2)),
    (F(2, 7), F(3, 7), F(6, 7)),
    (F(1), F(-1), F(1), F(1)),
]


def change(formula, name):
    """Return a neighbour of a formula."""
    return neighbour(formula, name if name.startswith("clip_") else f"{formula.id}_{name}")


def cut(rule, grad, threshold):
    """Clip a rational vector exactly; a result that is not rational is no number of this test."""
    (name,) = rule.hyperparameters
    result = rule.body(SymbolArray([sympy.Rational(str(g)) for g in grad]), **{name: SymbolArray(rational(threshold))})
    assert all(element.is_Rational for element in result.elements)
    return tuple(F(int(element.p), int(element.q)) for element in result.elements)


def rational(number):
    return sympy.Rational(str(number))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def norm(vector):
    """Euclidean norm of a vector that has a rational one."""
    square = dot(vector, vector)
    root = F(math.isqrt(square.numerator), math.isqrt(square.denominator))
    assert root**2 == square
    return root


def largest(vector):
    return max(map(abs, vector))


def times(factor, vector):
    return tuple(factor * x for x in vector)


def collinear(a, b):
    return dot(a, b) ** 2 == dot(a, a) * dot(b, b)


def rotated(vector, cosine=F(4, 5), sine=F(3, 5)):
    x, y = vector
    return (cosine * x - sine * y, sine * x + cosine * y)


# -- By value --------------------------------------------------------------------------------------------------------


@statement("clip_by_value", "D041", false={"the bare name": {"ids": ("clip", "clip_by_norm")}})
def test_both_manners_have_names_of_their_own_and_the_bare_name_is_nobodys(ids=("clip_by_value", "clip_by_norm")):
    known = {formula.id for formula in FORMULAS}

    assert set(ids) <= known
    assert not {"clip", "gradient_clipping"} & (known | set(ALIASES))
    assert cut(VALUE, (F(3), F(4)), F(1)) == (1, 1) != cut(NORM, (F(3), F(4)), F(1)) == (F(3, 5), F(4, 5))


@statement(
    "clip_by_value.C1",
    false={"by norm": {"rule": change(VALUE, "clip_by_norm")}, "any vector": {"grad": (F(8), F(-8))}},
)
def test_clipping_by_value_may_lose_the_direction(rule=VALUE, grad=(F(8), F(-6))):
    assert not collinear(cut(rule, grad, F(5)), grad)
    assert collinear(cut(NORM, grad, F(5)), grad)


@statement(
    "clip_by_value.P1",
    false={
        "cut to zero": {"rule": change(VALUE, "zeroed")},
        "one side": {"rule": change(VALUE, "high_only")},
        "always moved": {"rule": change(VALUE, "saturated")},
        "without the root of the dimension": {"widest": lambda d: 1},
    },
)
def test_the_largest_coordinate_becomes_the_smaller_of_itself_and_the_threshold(rule=VALUE, widest=lambda d: d):
    for grad, threshold in itertools.product(VECTORS, THRESHOLDS):
        result = cut(rule, grad, threshold)

        assert largest(result) == min(largest(grad), threshold)
        assert dot(result, result) <= threshold**2 * widest(len(grad))
        assert all(abs(after) <= abs(before) for after, before in zip(result, grad, strict=True))


@statement(
    "clip_by_value.P2",
    false={
        "one side": {"rule": change(VALUE, "high_only")},
        "always moved": {"rule": change(VALUE, "saturated")},
        "the larger threshold": {"joint": max},
    },
)
def test_value_clipping_is_the_identity_where_all_fits_and_the_smaller_threshold_wins(rule=VALUE, joint=min):
    for grad, threshold in itertools.product(VECTORS, THRESHOLDS):
        once = cut(rule, grad, threshold)

        assert (once == grad) == (largest(grad) <= threshold)
        assert cut(rule, once, threshold) == once
        for other in THRESHOLDS:
            assert cut(rule, once, other) == cut(rule, grad, joint(threshold, other))


@statement(
    "clip_by_value.P3",
    false={
        "cut to zero": {"rule": change(VALUE, "zeroed")},
        "moduli": {"rule": change(VALUE, "modulus")},
        "always moved": {"rule": change(VALUE, "saturated")},
        "the sum of moduli": {"rule": change(VALUE, "clip_by_norm_l1")},
        "the squared norm": {"rule": change(VALUE, "clip_by_norm_squared")},
    },
)
def test_value_clipping_projects_onto_the_box(rule=VALUE):
    """Coordinate by coordinate, and so in every p-norm."""
    numbers = sorted({number for vector in VECTORS for number in vector})
    for threshold in THRESHOLDS:
        after = cut(rule, numbers, threshold)

        assert after == tuple(cut(rule, (number,), threshold)[0] for number in numbers)
        assert cut(rule, times(-1, numbers), threshold) == times(-1, after)
        assert all(x * y >= 0 for x, y in zip(numbers, after, strict=True))
        for (x, y), (clipped_x, clipped_y) in zip(
            itertools.combinations(numbers, 2), itertools.combinations(after, 2), strict=True
        ):
            assert 0 <= clipped_y - clipped_x <= y - x


@statement(
    "clip_by_value.P4",
    "clip_geometry_figure.P2",
    false={
        "the upper side alone": {"rule": change(VALUE, "high_only")},
        "the lower side alone": {"rule": change(VALUE, "low_only")},
        "always moved": {"rule": change(VALUE, "saturated")},
        "moduli": {"rule": change(VALUE, "modulus")},
        "the dimension less one": {"least": lambda d: F(1, d - 1)},
    },
)
def test_value_clipping_turns_a_gradient_by_less_than_the_diagonal(rule=VALUE, least=lambda d: F(1, d)):
    for grad, threshold in itertools.product(VECTORS, THRESHOLDS):
        if any(grad):
            result = cut(rule, grad, threshold)
            inner, length = dot(result, grad), dot(result, result)
            moduli = {abs(g) for g in grad if g}

            assert inner >= length >= 0
            assert inner**2 > least(len(grad)) * length * dot(grad, grad)
            assert collinear(result, grad) == (largest(grad) <= threshold or len(moduli) == 1)
    tall, threshold = sympy.symbols("M alpha", positive=True)
    for number, level, clipped in ((tall + threshold, threshold, threshold), (tall, tall + threshold, tall)):
        assert list(rule.body(SymbolArray([number]), clip_value=SymbolArray(level)).elements) == [clipped]
    # Of any number of moduli let those that are cut add up to A, which is at least the threshold, and the squares of
    # the others to B. Then the inner product is at least the threshold times the gradient's length, since A^2 is at
    # least the sum of the cut ones' squares; and the clipped length is at most sqrt(d) times the threshold. Both are
    # equal in no case: the first only where one is cut and all others are 0, and then the second is not.
    more, rest = sympy.symbols("r B", nonnegative=True)
    total = threshold + more
    assert sympy.expand((threshold * total + rest) ** 2 - threshold**2 * (total**2 + rest)).is_nonnegative
    for d in range(2, 6):
        result = rule.body(SymbolArray([tall + threshold, *[threshold] * (d - 1)]), clip_value=SymbolArray(threshold))
        grad = [tall + threshold, *[threshold] * (d - 1)]
        square = dot(list(result.elements), grad) ** 2 / (dot(result.elements, result.elements) * dot(grad, grad))

        assert sympy.limit(sympy.simplify(square), tall, sympy.oo) == sympy.Rational(str(least(d)))


@statement(
    "clip_by_value.P5",
    false={
        "the threshold stays": {"scaled": lambda factor, threshold: threshold},
        "by norm": {"rule": change(VALUE, "clip_by_norm"), "vectors": LENGTHY[1:5]},
        "both signs exchanged": {"rule": change(VALUE, "low_only"), "factors": (F(-1),)},
    },
)
def test_value_clipping_scales_and_permutes_and_does_not_rotate(
    rule=VALUE, scaled=lambda factor, threshold: factor * threshold, vectors=VECTORS, factors=(F(1, 3), F(2), F(5))
):
    for grad, threshold in itertools.product(vectors, THRESHOLDS):
        result = cut(rule, grad, threshold)

        for factor in factors:
            assert cut(rule, times(factor, grad), scaled(factor, threshold)) == times(factor, result)
        assert cut(rule, grad[::-1], threshold) == result[::-1]
    turned = [cut(rule, rotated(grad), F(1)) == rotated(cut(rule, grad, F(1))) for grad in LENGTHY[1:5]]
    assert not all(turned)


@statement(
    "clip_by_value.P6",
    false={"cut to zero": {"rule": change(VALUE, "zeroed")}, "one side": {"rule": change(VALUE, "high_only")}},
)
def test_no_number_stays_none_and_infinities_become_the_threshold(rule=VALUE):
    special = [math.nan, math.inf, -math.inf]
    for array in (np.array(special), torch.tensor(special, dtype=torch.float64)):
        result = np.asarray(rule.body(array, clip_value=2.5))

        assert np.isnan(result[0])
        assert result[1:].tolist() == [2.5, -2.5]


# -- By norm ---------------------------------------------------------------------------------------------------------


@statement(
    "clip_by_norm",
    "D042",
    false={"as printed": {"at_zero": lambda g, threshold: [threshold * x / sympy.sqrt(dot(g, g)) for x in g]}},
)
def test_a_threshold_of_zero_leaves_nothing_where_the_print_has_zero_over_zero(
    at_zero=lambda g, threshold: NORM.body(SymbolArray(g), max_norm=SymbolArray(threshold)).elements,
):
    zero = sympy.Integer(0)

    assert list(at_zero([zero, zero], zero)) == [0, 0]
    assert list(at_zero([sympy.Integer(3), sympy.Integer(4)], zero)) == [0, 0]
    assert 0.0 in NORM.domain["max_norm"]
    assert 0.0 not in NORM.draw["max_norm"]


def each_tensor(parts, threshold):
    """Clip every tensor by its own norm."""
    return [cut(NORM, part, threshold) for part in parts]


def together(parts, threshold):
    """Clip all tensors by the norm of all."""
    clipped = iter(cut(NORM, tuple(itertools.chain(*parts)), threshold))
    return [tuple(itertools.islice(clipped, len(part))) for part in parts]


@statement("D043", false={"per tensor": {"clip": each_tensor}})
def test_the_norm_is_that_of_the_whole_gradient(clip=together):
    clipped = clip([(F(3),), (F(0), F(4))], F(4))

    assert norm(tuple(itertools.chain(*clipped))) == 4
    assert clipped == [(F(12, 5),), (0, F(16, 5))]


@statement(
    "clip_by_norm.P1",
    "clip_geometry_figure.P2",
    false={
        name: {"rule": change(NORM, id)}
        for name, id in (
            ("sum of moduli", "l1"),
            ("squared norm", "squared"),
            ("always rescaled", "always_rescaled"),
            ("unit length", "unit"),
            ("by value", "clip_by_value"),
        )
    },
)
def test_norm_clipping_multiplies_by_one_factor(rule=NORM):
    for grad, threshold in itertools.product(LENGTHY, THRESHOLDS):
        result, length = cut(rule, grad, threshold), norm(grad)

        assert dot(result, result) == min(length, threshold) ** 2
        assert result == times(min(F(1), threshold / length) if length else F(1), grad)


@statement(
    "clip_by_norm.C2",
    "clip_by_norm.P6",
    false={
        "by value": {"rule": change(NORM, "clip_by_value")},
        "sum of moduli": {"rule": change(NORM, "l1")},
    },
)
def test_a_coordinate_that_dominates_crushes_the_others(rule=NORM):
    threshold, seconds = F(1, 2), []
    for n in range(2, 12):
        tall, length = F(n * n - 1, 2 * n), F(n * n + 1, 2 * n)
        _, second = cut(rule, (tall, F(1)), threshold)

        assert second == threshold / length
        seconds.append(second)
    assert seconds == sorted(seconds, reverse=True)
    tall = sympy.Symbol("M", positive=True)
    assert sympy.limit(1 / sympy.sqrt(tall**2 + 1), tall, sympy.oo) == 0


@statement(
    "clip_by_norm.P2",
    false={"squared norm": {"rule": change(NORM, "squared")}, "unit length": {"rule": change(NORM, "unit")}},
)
def test_both_branches_agree_at_the_threshold(rule=NORM):
    for grad in LENGTHY[1:]:
        length = norm(grad)

        assert cut(rule, grad, length) == grad == times(length / norm(grad), grad)
        for gap in (F(1, 10), F(1, 10**6), F(1, 10**12)):
            for threshold in (length * (1 - gap), length * (1 + gap)):
                moved = tuple(x - y for x, y in zip(cut(rule, grad, threshold), grad, strict=True))
                assert dot(moved, moved) <= (gap * length) ** 2


@statement(
    "clip_by_norm.P3",
    false={
        "always rescaled": {"rule": change(NORM, "always_rescaled"), "vectors": LENGTHY[1:]},
        "squared norm": {"rule": change(NORM, "squared")},
        "unit length": {"rule": change(NORM, "unit")},
        "coordinates cut to zero": {"rule": change(NORM, "clip_by_value_zeroed")},
        "moduli": {"rule": change(NORM, "clip_by_value_modulus")},
        "the larger threshold": {"joint": max},
    },
)
def test_norm_clipping_projects_onto_the_ball(rule=NORM, joint=min, vectors=LENGTHY):
    for threshold in THRESHOLDS:
        # Pairs on both sides of the threshold, close together, where a rule may jump.
        sides = [times(threshold * (1 + part) / norm(grad), grad) for grad in LENGTHY[1:] for part in (-TENTH, TENTH)]
        once = {grad: cut(rule, grad, threshold) for grad in (*vectors, *sides)}

        for grad, other in itertools.combinations(once, 2):
            if len(grad) == len(other):
                before, after = (
                    sum((x - y) ** 2 for x, y in zip(*pair, strict=True))
                    for pair in ((grad, other), (once[grad], once[other]))
                )
                assert after <= before
        for grad, clipped in once.items():
            assert dot(clipped, clipped) <= threshold**2
            assert (clipped == grad) == (dot(grad, grad) <= threshold**2)
        for grad in vectors:
            assert cut(rule, once[grad], threshold) == once[grad]
            for second in THRESHOLDS:
                assert cut(rule, once[grad], second) == cut(rule, grad, joint(threshold, second))


@statement(
    "clip_by_norm.P4",
    false={
        "by value": {"rule": change(NORM, "clip_by_value")},
        "sum of moduli": {"rule": change(NORM, "l1")},
        "the threshold stays": {"scaled": lambda factor, threshold: threshold},
    },
)
def test_norm_clipping_rotates_reflects_and_scales(rule=NORM, scaled=lambda factor, threshold: factor * threshold):
    for grad, threshold in itertools.product(LENGTHY, THRESHOLDS):
        result = cut(rule, grad, threshold)

        if len(grad) == 2:
            assert cut(rule, rotated(grad), threshold) == rotated(result)
        assert cut(rule, times(-1, grad), threshold) == times(-1, result)
        for factor in (F(1, 3), F(2)):
            assert cut(rule, times(factor, grad), scaled(factor, threshold)) == times(factor, result)


@statement(
    "clip_by_norm.P5",
    false={
        "squared norm": {"rule": change(NORM, "squared")},
        "the whole threshold by value": {"narrowed": lambda threshold, d: threshold},
        "over the dimension": {"narrowed": lambda threshold, d: threshold / d, "attained": True},
    },
)
def test_in_one_dimension_both_manners_are_one_and_the_box_inside_the_ball_is_narrower(
    rule=NORM, narrowed=lambda threshold, d: threshold / math.isqrt(d), attained=True
):
    for threshold in THRESHOLDS:
        for number in (F(-3), F(-1, 2), F(0), F(7, 4), F(20)):
            assert cut(rule, (number,), threshold) == cut(VALUE, (number,), threshold)
        for grad in LENGTHY:
            assert largest(cut(rule, grad, threshold)) <= threshold
        lengths = [
            norm(cut(VALUE, grad, narrowed(threshold, 4)))
            for grad in ((F(20),) * 4, (F(1), F(-1), F(1), F(1)), (F(30), F(0), F(0), F(0)))
        ]
        assert max(lengths) <= threshold
        assert (max(lengths) == threshold) == attained


@statement(
    "clip_by_norm.P7",
    "clip_by_norm.P8",
    false={
        "by value": {"rule": change(NORM, "clip_by_value")},
        "squared norm": {"rule": change(NORM, "squared")},
        "not the smaller factor": {"least": max},
    },
)
def test_clipped_descent_is_descent_with_a_shortened_step_and_moves_no_further(rule=NORM, least=min):
    rate = F(3, 2)
    for grad, threshold in itertools.product(LENGTHY[1:], THRESHOLDS):
        clipped = SymbolArray([rational(g) for g in cut(rule, grad, threshold)])
        plain = SymbolArray([rational(g) for g in grad])
        start = SymbolArray([sympy.Integer(2)] * len(grad))
        shortened = SymbolArray(rational(rate * least(F(1), threshold / norm(grad))))
        end, _ = GD.body(start, clipped, NoState(), learning_rate=SymbolArray(rational(rate)))
        same, _ = GD.body(start, plain, NoState(), learning_rate=shortened)

        assert list(end.elements) == list(same.elements)
        assert sum((x - 2) ** 2 for x in end.elements) <= rational(rate * threshold) ** 2


# -- The figures -----------------------------------------------------------------------------------------------------


@statement("clip_geometry_figure", false={"another threshold": {"threshold": 2.0}})
def test_the_figure_has_the_three_vectors(threshold=2.5):
    points = clip_geometry_points(np.array([4.0, 3.0]), threshold)

    assert [vector.tolist() for vector in points] == [[4.0, 3.0], [2.5, 2.5], [2.0, 1.5]]


@statement(
    "clip_geometry_figure.P1",
    "clip_by_norm.C1",
    false={"exchanged": {"rules": (VALUE, NORM)}, "not clipped": {"rules": (change(NORM, "unit"), VALUE)}},
)
def test_at_one_threshold_the_norm_clipped_vector_is_the_shortest(rules=(NORM, VALUE)):
    for grad, threshold in itertools.product(LENGTHY, THRESHOLDS):
        by_norm, by_value = (cut(rule, grad, threshold) for rule in rules)

        assert dot(by_norm, by_norm) <= dot(by_value, by_value) <= dot(grad, grad)
        assert dot(by_norm, by_norm) <= threshold**2


RATE = F(21, 20)


def orbit(offset, threshold, steps, rate=RATE, curvature=F(2)):
    """Distances from the minimum."""
    points = quadratic_descent(1 + offset, steps, learning_rate=rate, threshold=threshold, curvature=curvature)
    return [x - 1 for x in points]


@statement(
    "clip_example_quadratic",
    "D044",
    false={"by another rate": {"rate": F(11, 10)}, "another centre": {"centre": F(0)}},
)
def test_the_example_is_descent_with_the_catalogues_clip_at_any_start_and_threshold(rate=RATE, centre=F(1)):
    for start, threshold in itertools.product((F(0), F(3), F(-7, 2)), (F(1), F(1, 3), None)):
        points = quadratic_descent(start, 6, learning_rate=rate, threshold=threshold, centre=centre)
        x = start
        for point in points:
            assert point == x
            grad = (2 * (x - 1),)
            if threshold is not None:
                grad = cut(NORM, grad, threshold)
            moved, _ = GD.body(
                SymbolArray([rational(x)]),
                SymbolArray([rational(grad[0])]),
                NoState(),
                learning_rate=SymbolArray(rational(RATE)),
            )
            x = F(int(moved.elements[0].p), int(moved.elements[0].q))


@statement(
    "clip_example_quadratic.P1",
    false={"a rate of one": {"rate": F(1)}, "the factor's sign": {"factor": F(11, 10)}},
)
def test_unclipped_descent_grows_by_a_tenth_each_step(rate=RATE, factor=F(-11, 10)):
    printed = "0 2.1 -0.21 2.331 -0.4641 2.61051 -0.771561 2.9487171 -1.14358881 3.357947691 -1.5937424601"

    assert quadratic_descent(F(0), 10, learning_rate=rate) == [F(number) for number in printed.split()]
    for offset in (F(-1), F(1, 1000), F(5)):
        distances = orbit(offset, None, 60, rate)
        assert distances == [factor**step * offset for step in range(61)]
        assert [e**2 for e in distances] == [F(121, 100) ** step * offset**2 for step in range(61)]


@statement(
    "clip_example_quadratic.C1",
    "clip_example_quadratic.P2",
    false={"not clipped": {"applied": lambda threshold: None}, "a shorter step": {"longest": F(1)}},
)
def test_clipped_descent_stays_bounded_by_steps_of_one_length(applied=lambda threshold: threshold, longest=RATE):
    for threshold, start in itertools.product((F(1), F(1, 3), F(4)), range(-40, 41)):
        distances = orbit(F(start, 8), applied(threshold), 60)

        for e, after in itertools.pairwise(distances):
            sign = (e > 0) - (e < 0)
            assert after == (F(-11, 10) * e if abs(e) < threshold / 2 else e - RATE * threshold * sign)
            assert abs(after - e) <= longest * threshold
        assert max(map(abs, distances)) <= max(abs(F(start, 8)), F(11, 20) * threshold)


@statement(
    "clip_example_quadratic.P3",
    false={
        "a wider band": {"band": (F(1, 2), F(53, 100))},
        "another period": {"width": F(1)},
        "without the exception": {"lands": lambda offset, width: False},
    },
)
def test_every_orbit_ends_in_a_two_cycle_or_at_the_minimum(
    band=(F(1, 2), F(11, 20)), width=RATE, lands=lambda offset, width: offset % width == 0
):
    for threshold, start in itertools.product((F(1), F(1, 3), F(5, 2)), range(-84, 85)):
        offset = F(start, 40) * threshold
        distances = orbit(offset, threshold, 120)
        if lands(offset, width * threshold):
            assert distances[-1] == 0
            continue
        first = two_cycle(distances)
        assert first is not None
        one, other = distances[first : first + 2]
        assert other == one - width * threshold * (1 if one > 0 else -1)
        assert abs(one) + abs(other) == width * threshold
        for modulus in (abs(one), abs(other)):
            assert band[0] * threshold <= modulus <= band[1] * threshold


@statement(
    "clip_example_quadratic.P4",
    false={
        "without the one": {"outer": lambda product: product},
        "the curvature left out": {"unit": lambda threshold, curvature: threshold},
    },
)
def test_two_cycles_of_any_curvature_fill_a_band(
    outer=lambda product: product - 1, unit=lambda threshold, curvature: threshold / curvature
):
    for curvature, rate, threshold in (
        (F(2), RATE, F(1)),
        (F(3), F(1), F(2)),
        (F(1, 2), F(9, 2), F(1)),
        (F(5), F(1, 2), F(3)),
    ):
        inner = unit(threshold, curvature)
        low, high = inner, outer(rate * curvature) * inner
        for part in range(-2, 13):
            e = low + (high - low) * F(part, 10)
            distances = orbit(e, threshold, 2, rate, curvature)
            cycles = distances[0] == distances[2] and distances[0] != distances[1]

            assert cycles == (0 <= part <= 10)
            if cycles:
                assert abs(distances[0]) + abs(distances[1]) == rate * threshold


@statement(
    "clip_example_quadratic.P5",
    false={"a product above two": {"products": (F(21, 10),)}, "of two": {"products": (F(2),)}},
)
def test_below_a_product_of_two_clipping_does_not_keep_from_converging(products=(F(1, 4), F(1), F(7, 4), F(19, 10))):
    for product, curvature, threshold in itertools.product(products, (F(1, 2), F(2)), (F(1), F(1, 3))):
        for start in range(-20, 21):
            distances = orbit(F(start, 4), threshold, 40, product / curvature, curvature)

            for e, after in itertools.pairwise(distances):
                assert abs(after) < abs(e) or e == after == 0


@statement(
    "clip_example_quadratic.P6",
    false={"another threshold": {"threshold": F(9, 10)}, "a step later": {"first": 27}},
)
def test_the_printed_orbit_reaches_its_cycle_at_step_26(threshold=F(1), first=26):
    distances = orbit(F(-1), threshold, 40)

    assert distances[:4] == [-1, F("0.05"), F("-0.055"), F("0.0605")]
    assert two_cycle(distances) == first
    assert [float(e) for e in distances[first : first + 2]] == [-0.5417352971694186, 0.5082647028305813]
