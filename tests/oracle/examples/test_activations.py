"""Points of the activations' curves."""

import numpy as np

from oracle.activations.gelu import gelu
from oracle.exact import exact
from oracle.examples.activations import curves


def test_the_points_are_those_of_the_formulas_in_the_order_that_holds_everywhere():
    drawn = curves()

    assert list(drawn) == ["x", "relu", "gelu", "silu"]
    assert {values.shape for values in drawn.values()} == {(201,)}
    assert (drawn["x"][0], drawn["x"][100], drawn["x"][-1]) == (-5.0, 0.0, 5.0)
    assert np.array_equal(drawn["gelu"], exact(gelu, drawn["x"]))
    assert (drawn["relu"] >= drawn["gelu"]).all()
    assert (drawn["gelu"] >= drawn["silu"]).all()
