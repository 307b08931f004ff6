"""What the convergence theorems ask of the drawn gradients: independence, no bias, and a bounded second moment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

import sympy
from hypothesis import example, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from oracle.arithmetic.symbols import SymbolArray
from oracle.catalogue import get
from oracle.theory.convergence import theorem_fixed_lr
from oracle.theory.finite_sum import Batch, FiniteSum, Loss, Vector
from oracle.theory.problems import bowls, shifted
from oracle.training.sampling import expectation, with_replacement
from tests.helpers.finite_sums import Q, drawn, few, fractions, parts, points, problems, vector
from tests.helpers.statements import statement

Admits = Callable[[FiniteSum, Vector, Fraction], bool]


def admits(problem: FiniteSum, param: Vector, variance: Fraction) -> bool:
    """Whether the third hypothesis holds at a point, for some bound of the variance."""
    return problem.second_moment(param) <= variance + problem.squared_gradient(param)


def admits_literally(problem: FiniteSum, param: Vector, variance: Fraction) -> bool:
    """The hypothesis as it is printed: the square of the loss for that of its gradient."""
    return problem.second_moment(param) <= variance + problem.loss(param) ** 2


def average(problem: FiniteSum, start: Vector, rate: Fraction, steps: int) -> tuple[Fraction, list[Vector]]:
    """The expected mean of the squared gradients at the first points of all runs, and these points."""
    runs = problem.runs(start, [rate] * (steps - 1))
    return expectation(expectation(map(problem.squared_gradient, run)) for run in runs), [
        param for run in runs for param in run
    ]


def refutes(hypothesis: Admits, problem: FiniteSum, start: Vector, part: Fraction, steps: int) -> bool:
    """Whether the hypothesis holds without noise all along, and the first theorem does not."""
    rate = part / problem.smoothness
    reached, visited = average(problem, start, rate, steps)
    bound = theorem_fixed_lr(
        steps, learning_rate=rate, smoothness=problem.smoothness, variance=Q(0), gap=problem.gap(start)
    )
    return all(hypothesis(problem, param, Q(0)) for param in visited) and reached > bound


@statement(
    "sgd_hypothesis_1",
    "sgd_hypothesis_1.P1",
    false={
        "one sample less in the divisor": {"taken": 1},
        "the square of the mean twice": {"weight": 2},
        "the loss for its gradient": {"square": lambda problem, x: problem.loss(x) ** 2},
    },
)
def test_the_third_hypothesis_bounds_the_trace_of_the_covariance(taken=0, weight=1, square=FiniteSum.squared_gradient):
    @drawn(found=problems(smallest=2))
    def check(found: tuple[FiniteSum, Vector]) -> None:
        problem, x = found
        deviations = [gradient - problem.gradient(x) for gradient in problem.gradients(x)]
        trace = sum(gradient @ gradient for gradient in deviations) / (len(deviations) - taken)
        assert trace == problem.second_moment(x) - weight * square(problem, x)
        assert admits(problem, x, trace)
        assert not admits(problem, x, trace - 1)

    check()


@statement("sgd_hypothesis_1.P2", "D089", false={"as printed": {"hypothesis": admits_literally}})
def test_the_third_hypothesis_is_blind_to_constants(hypothesis: Admits = admits):
    @drawn(found=problems(), variance=fractions(0, 3), constant=fractions(0, 4))
    @example(found=(bowls(points(-1, 1), curvature=Q(1)), vector(0)), variance=Q(0), constant=Q(1, 2))
    def check(found: tuple[FiniteSum, Vector], variance: Fraction, constant: Fraction) -> None:
        problem, x = found
        assert hypothesis(problem, x, variance) == hypothesis(shifted(problem, constant), x, variance)

    check()


@statement("sgd_hypothesis_1.P2", "D089", false={"as printed": {"hypothesis": admits_literally}})
def test_the_hypothesis_without_the_gradient_contradicts_the_theorem(hypothesis: Admits = admits):
    """Pinned is what refutes the printed form: two bowls, raised by a half, and a step of one between them."""

    @drawn(found=problems(), constant=fractions(0, 4), part=parts(1), steps=few)
    @example(found=(bowls(points(-1, 1), curvature=Q(1)), vector(0)), constant=Q(1, 2), part=Q(1), steps=2)
    def check(found: tuple[FiniteSum, Vector], constant: Fraction, part: Fraction, steps: int) -> None:
        problem, start = found
        assert not refutes(hypothesis, shifted(problem, constant), start, part, steps)

    check()


def raised(centre: Fraction, constant: Fraction) -> FiniteSum:
    return shifted(bowls(points(-centre, centre), curvature=Q(1)), constant)


@statement("D089", false={"corrected": {"hypothesis": admits}})
def test_hypothesis_finds_and_shrinks_what_refutes_the_printed_form(hypothesis: Admits = admits_literally):
    ingredients = st.tuples(fractions(0, 3), fractions(0, 4), parts(1), few)
    search = settings(max_examples=300, database=None, derandomize=True, deadline=None)

    def refuted(found: tuple[Fraction, Fraction, Fraction, int]) -> bool:
        return refutes(hypothesis, raised(*found[:2]), vector(0), *found[2:])

    try:
        centre, constant, part, steps = find(ingredients, refuted, settings=search)
    except NoSuchExample as nothing:
        raise AssertionError("no counterexample") from nothing

    assert (centre, steps) == (1, 2)  # the start has no gradient: it takes a step to see the noise
    assert refuted((centre, constant, part, steps))
    # The least constant: 1/2, with a mean squared gradient of 1/2 where the theorem allows 0.
    smallest = raised(Q(1), Q(1, 2))
    assert refutes(hypothesis, smallest, vector(0), Q(1), 2)
    assert not refutes(hypothesis, raised(Q(1), Q(7, 16)), vector(0), Q(1), 2)
    assert average(smallest, vector(0), Q(1), 2)[0] == Q(1, 2)
    assert smallest.gap(vector(0)) == 0


@statement(
    "sgd_hypothesis_1.P3",
    false={
        "the constant for its square": {"power": 1},
        "one centre less in the divisor": {"taken": 1},
    },
)
def test_bowls_have_the_same_noise_everywhere(power=2, taken=0):
    @drawn(first=fractions(-3, 3), second=fractions(-3, 3), curvature=parts(3), x=fractions(-3, 3))
    def check(first: Fraction, second: Fraction, curvature: Fraction, x: Fraction) -> None:
        centres = [vector(first, second), vector(second, 0), vector(1, -1)]
        offsets = [centre - expectation(centres) for centre in centres]
        stated = curvature**power * sum(offset @ offset for offset in offsets) / (len(offsets) - taken)
        assert bowls(centres, curvature=curvature).variance(vector(x, -x)) == stated

    check()


@statement(
    "sgd_hypothesis_1.P4",
    false={
        "equal features": {"features": (2, 2)},
        "features of equal size": {"features": (2, -2)},
    },
)
def test_no_constant_bounds_the_noise_of_least_squares(features=(1, 2)):
    """The variance is a polynomial whose leading coefficient is the variance of the squared features."""
    theta = sympy.Symbol("theta", real=True)
    losses = [
        Loss(
            value=lambda param, a=a, b=b: (a * param - b) @ (a * param - b) / 2,
            gradient=lambda param, a=a, b=b: a * (a * param - b),
        )
        for a, b in zip(features, (3, -1), strict=True)
    ]
    problem = FiniteSum(tuple(losses), smoothness=None, minimum=None)

    noise = sympy.Poly(problem.variance(SymbolArray([theta]).elements), theta)

    squares = [sympy.Integer(a) ** 2 for a in features]
    assert noise.coeff_monomial(theta**2) == expectation(a**2 for a in squares) - expectation(squares) ** 2 > 0


def marginals(draws: Sequence[Batch], place: int, count: int) -> list[Fraction]:
    return [Q(sum(draw[place] == index for draw in draws), len(draws)) for index in range(count)]


def independent(draws: Sequence[Batch], count: int) -> bool:
    pairs = itertools.product(range(count), repeat=2)
    return all(Q(sum(draw == pair for draw in draws), len(draws)) == Q(1, count**2) for pair in pairs)


@statement(
    "uniform_sampling_statement",
    "uniform_sampling_statement.P1",
    false={"unequal probabilities": {"weights": (Q(1, 2), Q(1, 4), Q(1, 4))}},
)
def test_a_uniform_index_makes_no_bias(weights=(Q(1, 3), Q(1, 3), Q(1, 3))):
    @drawn(found=problems(smallest=3))
    def check(found: tuple[FiniteSum, Vector]) -> None:
        problem, x = found
        expected = sum(weight * gradient for weight, gradient in zip(weights, problem.gradients(x), strict=True))
        assert (expected == problem.gradient(x)).all()

    check()


@statement(
    "uniform_sampling_statement.P2",
    "D090",
    false={"independent draws": {"draws": tuple(with_replacement(3, 2))}},
)
def test_uniform_indices_need_not_be_independent(draws: Sequence[Batch] = tuple(itertools.permutations(range(3), 2))):
    """Two draws of a reshuffled epoch: each is uniform, and the second knows the first."""
    problem, x = bowls(points(0, 1, 3), curvature=Q(1)), vector(0)

    assert all(marginals(draws, place, 3) == [Q(1, 3)] * 3 for place in (0, 1))
    assert not independent(draws, 3)
    seconds = [problem.gradients(x)[second] for first, second in draws if first == 0]
    assert expectation(seconds) != problem.gradient(x)  # biased, once the past is known


@statement(
    "uniform_sampling_statement.P2",
    false={"reshuffling": {"draws": tuple(itertools.permutations(range(3), 2))}},
)
def test_independent_uniform_indices_satisfy_both(draws: Sequence[Batch] = tuple(with_replacement(3, 2))):
    assert independent(draws, 3)

    @drawn(found=problems(smallest=3))
    def check(found: tuple[FiniteSum, Vector]) -> None:
        problem, x = found
        for known in range(3):
            seconds = [problem.gradients(x)[second] for first, second in draws if first == known]
            assert (expectation(seconds) == problem.gradient(x)).all()

    check()


@statement(
    "uniform_sampling_statement.P3",
    false={
        "no weights": {"weight": lambda probability, count: 1},
        "weights without the number of samples": {"weight": lambda probability, count: 1 / probability},
        "weights the other way up": {"weight": lambda probability, count: count * probability},
    },
)
def test_importance_weights_undo_the_bias(weight=lambda probability, count: 1 / (count * probability)):
    @drawn(found=problems(smallest=3), first=parts(1))
    @example(found=(bowls(points(0, 1, 3), curvature=Q(1)), vector(0)), first=Q(1, 2))
    def check(found: tuple[FiniteSum, Vector], first: Fraction) -> None:
        problem, x = found
        shares = [first, Q(1), Q(2)]
        probabilities = [share / sum(shares) for share in shares]
        drawn_gradients = zip(probabilities, problem.gradients(x), strict=True)
        assert (sum(p * weight(p, 3) * gradient for p, gradient in drawn_gradients) == problem.gradient(x)).all()

    check()


@statement(
    "bounded_gradient_statement",
    "bounded_gradient_statement.P1",
    false={
        "half the square": {"sharp": lambda largest, square: largest / 2},
        "the squared mean gradient twice": {"sharp": lambda largest, square: largest - 2 * square},
        "nothing taken away": {"sharp": lambda largest, square: largest},
    },
)
def test_bounded_gradients_bound_the_noise(sharp=lambda largest, square: largest - square):
    @drawn(found=problems())
    @example(found=(bowls(points(-1, 1), curvature=Q(1)), vector(0)))
    def check(found: tuple[FiniteSum, Vector]) -> None:
        problem, x = found
        largest = max(gradient @ gradient for gradient in problem.gradients(x))
        assert admits(problem, x, largest)  # sigma = M
        assert admits(problem, x, sharp(largest, problem.squared_gradient(x)))

    check()
    cos, sin = Q(3, 5), Q(4, 5)  # gradients of one length, where nothing smaller serves
    tight = bowls([vector(cos, sin), vector(cos, -sin)], curvature=Q(1))
    assert tight.variance(vector(0, 0)) == sharp(Q(1), tight.squared_gradient(vector(0, 0)))


@statement(
    "bounded_gradient_statement.P2",
    false={
        "a threshold that nothing exceeds": {"threshold": 4},
        "gradients that fit": {"gradients": (1, -1)},
    },
)
def test_clipped_gradients_are_bounded_and_biased(threshold=1, gradients=(3, -1)):
    clip = get("clip_by_norm")
    samples = [SymbolArray([gradient]) for gradient in gradients]

    clipped = [clip(sample, max_norm=SymbolArray(threshold)).elements.item() for sample in samples]

    assert max(map(abs, clipped)) <= threshold
    assert expectation(clipped) != expectation(map(sympy.Integer, gradients))


@statement("D087", false={"a smoother loss": {"power": 3}})
def test_a_differentiable_loss_need_not_be_continuously_differentiable(power=2):
    r"""The slope of :math:`x^2 \sin(1/x)` is 0 at 0, and -1 at every :math:`1 / (2 \pi k)`."""
    x = sympy.Symbol("x", positive=True)
    k = sympy.Symbol("k", integer=True, positive=True)
    loss = x**power * sympy.sin(1 / x)

    assert sympy.limit(loss / x, x, 0) == 0
    assert sympy.limit(sympy.simplify(sympy.diff(loss, x).subs(x, 1 / (2 * sympy.pi * k))), k, sympy.oo) == -1
