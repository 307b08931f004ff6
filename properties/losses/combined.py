"""Claims about a cost of classification and regression together."""

from __future__ import annotations

from dataclasses import replace

from oracle.arithmetic.balls import balls, working_precision
from oracle.bound import Enclosure
from properties.cases import Call
from properties.claims import Bench, claim
from properties.margins import PRECISION_BITS, result, total
from properties.strategies.inputs import called

__all__ = ["nothing_left_to_regress", "proportional_to_the_weight", "without_weight_only_classes"]

_PLACE = "bourmaudnetworks, Choix du coût : Combinaison de coûts"
_CALLS = {"short": 4, "spread": 1}


def _weighted(call: Call, weight: float) -> Call:
    return call.settled({"regression_weight": weight})


@claim(
    "without_weight_only_classes",
    kind="metamorphic",
    formulas=("loss_combined",),
    statement=r"\lambda = 0 \implies l(y, s, t, r) = l(y, s, t, t)",
    source=_PLACE,
    inputs=called(_CALLS),
    catches=("loss_combined_unweighted", "loss_combined_weight_floored"),
    varies=("regression_weight",),
)
def without_weight_only_classes(bench: Bench, *, call: Call) -> None:
    """Without a weight the predicted numbers do not matter."""
    scores, labels, _, target = call.arrays
    shown, error = result(bench, _weighted(call, 0.0))
    other, other_error = result(bench, _weighted(replace(call, arrays=(scores, labels, target.copy(), target)), 0.0))
    expected = Enclosure(value=balls(shown), error=total(error, other_error))
    bench.compare(other, expected, quantity="result", note="the weight is 0")


@claim(
    "nothing_left_to_regress",
    kind="metamorphic",
    formulas=("loss_combined",),
    statement=r"l_\lambda(y, s, t, t) = l_{2\lambda}(y, s, t, t)",
    source=_PLACE,
    inputs=called(_CALLS),
    catches=("loss_combined_all_weighted", "loss_combined_complementary"),
    varies=("regression_weight",),
)
def nothing_left_to_regress(bench: Bench, *, call: Call) -> None:
    """Where every number is predicted exactly, the weight does not matter."""
    scores, labels, _, target = call.arrays
    met = replace(call, arrays=(scores, labels, target.copy(), target))
    shown, error = result(bench, met)
    other, other_error = result(bench, _weighted(met, 2.0 * call.hyperparameters["regression_weight"]))
    expected = Enclosure(value=balls(shown), error=total(error, other_error))
    bench.compare(other, expected, quantity="result", note="the weight was doubled")


@claim(
    "proportional_to_the_weight",
    kind="metamorphic",
    formulas=("loss_combined",),
    statement=r"l_{2\lambda} - l_\lambda = l_\lambda - l_0",
    source=_PLACE,
    inputs=called(_CALLS),
    catches=("loss_combined_squared_weight", "loss_combined_root_of_weight"),
    varies=("regression_weight",),
)
def proportional_to_the_weight(bench: Bench, *, call: Call) -> None:
    """What the weight adds to the cost is proportional to it."""
    weight = call.hyperparameters["regression_weight"]
    none, none_error = result(bench, _weighted(call, 0.0))
    once, once_error = result(bench, call)
    twice, twice_error = result(bench, _weighted(call, 2.0 * weight))
    with working_precision(PRECISION_BITS):
        expected = Enclosure(
            value=2 * balls(once) - balls(none), error=total(none_error, 2.0 * once_error, twice_error)
        )
        bench.compare(twice, expected, quantity="result", note="the weight was doubled")
