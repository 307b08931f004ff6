"""Points of the figure of Adam's longest steps."""

from oracle.examples.step_bound import step_bound_points


def test_the_steps_reach_the_bound_to_the_last_bit():
    points = step_bound_points(0.9, 0.999, 1000)

    assert (points.reached == points.bound).all()
    assert points.steps[0] == 1
    assert points.steps[-1] == 1000
    assert f"{points.bound[-1]:.2f}" == "5.78"


def test_the_bound_lies_between_the_paper_s_and_its_limit_in_the_end():
    points = step_bound_points(0.5, 0.75, 40)

    assert points.bound.tolist() == sorted(points.bound)
    assert points.paper == 1.0
    assert points.paper < points.bound[-1] < points.limit
