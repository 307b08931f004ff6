"""Claims about the statistics that batch normalization gathers."""

from __future__ import annotations

from oracle.arithmetic.balls import balls
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import result, total
from properties.normalization.common import SLIDES, with_arrays
from properties.strategies.inputs import called

__all__ = ["doubled_batch", "features_apart", "permuted_batch", "whole_momentum_forgets", "zero_momentum_keeps"]

_STATISTICS = ("batch_norm_running_mean", "batch_norm_running_variance", "batch_norm_running_variance_biased")
_CALLS = {"short": 4, "exact": 2, "rows": 1}


@claim(
    "zero_momentum_keeps",
    kind="invariant",
    formulas=_STATISTICS,
    statement=r"\rho = 0 \implies \bar v' = \bar v",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=(
        "running_mean_complement",
        "running_mean_last_batch",
        "running_variance_complement",
        "running_variance_biased_complement",
    ),
    varies=("momentum",),
)
def zero_momentum_keeps(bench: Bench, *, call: Call) -> None:
    """With momentum 0 what was gathered stays."""
    shown, error = result(bench, with_arrays(call, momentum=0.0))
    bench.compare(shown, Enclosure(value=balls(call.arrays[1]), error=error), quantity="result", note="momentum 0")


@claim(
    "whole_momentum_forgets",
    kind="metamorphic",
    formulas=_STATISTICS,
    statement=r"\rho = 1 \implies \bar v' = v_{\mathcal B}",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=(
        "running_mean_complement",
        "running_mean_undamped",
        "running_variance_complement",
        "running_variance_biased_complement",
    ),
    varies=("momentum",),
)
def whole_momentum_forgets(bench: Bench, *, call: Call) -> None:
    """With momentum 1 it makes no difference what was gathered."""
    x, running = call.arrays
    shown, error = result(bench, with_arrays(call, momentum=1.0))
    afresh, error_afresh = result(bench, with_arrays(call, x, 0.0 * running, momentum=1.0))
    expected = Enclosure(value=balls(afresh), error=total(error, error_afresh))
    bench.compare(shown, expected, quantity="result", note="momentum 1")


@claim(
    "permuted_batch",
    kind="metamorphic",
    formulas=_STATISTICS,
    statement=r"\bar v'(Px) = \bar v'(x)",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=(
        "running_mean_last_sample_ignored",
        "running_variance_first_sample_for_mean",
        "running_variance_biased_first_sample_for_mean",
    ),
)
def permuted_batch(bench: Bench, *, call: Call) -> None:
    """The order of the samples makes no difference."""
    shown, error = result(bench, call)
    turned, turned_error = result(bench, with_arrays(call, call.arrays[0][::-1].copy()))
    expected = Enclosure(value=balls(shown), error=total(error, turned_error))
    bench.compare(turned, expected, quantity="result", note="the samples were reversed")


@claim(
    "doubled_batch",
    kind="metamorphic",
    formulas=_STATISTICS,
    statement=r"\bar\mu'(2x, 2\bar\mu) = 2 \bar\mu', \quad \bar v'(2x, 4\bar v) = 4 \bar v'",
    source=SLIDES,
    inputs=called(_CALLS),
    catches=("running_mean_root", "running_variance_deviation", "running_variance_biased_deviation"),
)
def doubled_batch(bench: Bench, *, call: Call) -> None:
    """Twice the samples give twice the mean and four times the variance."""
    x, running = call.arrays
    factor = 2.0 if bench.formula.id.endswith("mean") else 4.0
    shown, error = result(bench, call)
    double, double_error = result(bench, with_arrays(call, 2.0 * x, factor * running))
    expected = Enclosure(value=balls(factor * shown), error=total(factor * error, double_error))
    bench.compare(double, expected, quantity="result", note="the samples were doubled")


@claim(
    "features_apart",
    kind="metamorphic",
    formulas=_STATISTICS,
    statement=r"\bar v'(x)^{(k)} = \bar v'(x^{(k)})",
    source=f"{SLIDES}: each dimension independently",
    inputs=called(_CALLS),
    catches=(
        "running_mean_of_all_features",
        "running_variance_of_all_features",
        "running_variance_biased_of_all_features",
    ),
)
def features_apart(bench: Bench, *, call: Call) -> None:
    """The last feature's statistic is what it is alone."""
    x, running = call.arrays
    shown, error = result(bench, call)
    alone, error_alone = result(bench, with_arrays(call, x[:, -1:].copy(), running[-1:].copy()))
    expected = Enclosure(value=balls(shown[-1:]), error=total(error[-1:], error_alone))
    bench.compare(alone, expected, quantity="result", note="the other features changed it")
