import numpy as np
import pytest

from conformance.bench import Bench, Tally
from conformance.session import Session
from conformance.specimen import Specimen, Transcript
from oracle.arithmetic.formats import FORMATS, precision_models
from oracle.bound import Enclosure
from oracle.catalogue import get
from properties.cases import Step, Training
from properties.claims import Violation
from properties.subject import Group
from tests.helpers.judging import HONEST, array, implementation

NOTHING_KNOWN = float("inf")


def a_bench(session=None, transcript=None, factory=HONEST, dtype="float64"):
    session = session or Session("quick", 0)
    specimen = Specimen(implementation(factory), dtype, "cpu", session.counts)
    return Bench(session, specimen, transcript or Transcript(), get("gd"), precision_models(dtype)[0])


def a_training(*grads):
    groups = (Group((0,), {"learning_rate": 0.5}),)
    return Training((array(1.0),), groups, tuple(Step((grad,)) for grad in grads))


def enclosure(value, error):
    return Enclosure(array(*value), array(*error))


def test_elements_with_a_bound_are_judged_and_the_others_counted():
    bench = a_bench()

    bench.compare(array(1.0, 2.25, 9.0), enclosure((1.0, 2.0, 3.0), (0.5, 0.5, NOTHING_KNOWN)), quantity="param")

    assert (bench.tally.judged, bench.tally.unjudged, bench.tally.ulps) == (2, 1, 2.0**49)
    assert 0.49 < bench.tally.error_over_bound <= 0.5  # rounded down


def test_an_element_outside_is_a_violation_with_place_interval_and_distance():
    bench = a_bench(dtype="float32")

    with pytest.raises(Violation, match=r"exp_avg of tensor 1 after step 3, element 1, is 2\.75") as caught:
        bench.compare(array(1.0, 2.75), enclosure((1.0, 2.0), (0.5, 0.5)), quantity="exp_avg", step=3, tensor=1)

    found = caught.value
    assert (found.quantity, found.step, found.tensor, found.index) == ("exp_avg", 3, 1, 1)
    assert (found.low, found.high, found.observed) == (1.5, 2.5, 2.75)
    assert found.error_over_bound == pytest.approx(1.5)
    assert found.ulps == 0.75 * 2**22
    assert bench.tally.error_over_bound == found.error_over_bound


def test_the_place_of_an_element_counts_through_all_axes():
    expected = Enclosure(np.zeros((2, 3)), np.ones((2, 3)))
    observed = np.zeros((2, 3))
    observed[1, 2] = 7.0

    with pytest.raises(Violation) as caught:
        a_bench().compare(observed, expected, quantity="result")

    assert caught.value.index == 5
    assert caught.value.low == -1.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_result_that_is_no_number_is_infinitely_far_off(value):
    with pytest.raises(Violation) as caught:
        a_bench().compare(array(value), enclosure((1.0,), (0.5,)), quantity="param")

    assert caught.value.error_over_bound == caught.value.ulps == float("inf")


def test_where_there_is_no_bound_anything_may_come():
    bench = a_bench()

    bench.compare(array(float("nan")), enclosure((1.0,), (NOTHING_KNOWN,)), quantity="param")

    assert bench.tally == Tally(unjudged=1)


def test_another_shape_is_a_violation():
    with pytest.raises(Violation, match=r"param has shape \(2,\), expected \(1,\)"):
        a_bench().compare(array(1.0, 1.0), enclosure((1.0,), (0.5,)), quantity="param")


def test_another_shape_than_that_of_the_other_run_is_a_violation():
    with pytest.raises(Violation, match=r"param has shape \(2,\), expected \(1,\)"):
        a_bench().compare(array(1.0, 1.0), enclosure((1.0,), (0.5, 0.5)), quantity="param")


def test_an_empty_array_is_judged_to_hold_nothing():
    bench = a_bench()

    bench.compare(array(), enclosure((), ()), quantity="param")

    assert bench.tally == Tally()


@pytest.mark.parametrize("dtype", list(FORMATS))
def test_ulps_are_those_of_the_dtype(dtype):
    bench = a_bench(dtype=dtype)
    unit = 2 * FORMATS[dtype].unit

    bench.compare(array(1.0 + 3 * unit), enclosure((1.0,), (1.0,)), quantity="param")

    assert bench.tally.ulps == 3.0


def test_a_condition_that_holds_is_counted_and_one_that_fails_raises():
    bench = a_bench()

    bench.require(True, "never seen", quantity="param")

    assert bench.tally.judged == 1
    with pytest.raises(Violation, match="seen") as caught:
        bench.require(False, "seen", quantity="exp_avg")
    assert caught.value.quantity == "exp_avg"


def test_the_same_questions_are_answered_from_the_transcript():
    session, transcript = Session("quick", 0), Transcript()
    training = a_training(array(1.0), array(2.0))

    first = a_bench(session, transcript).train(training)
    again = a_bench(session, transcript).train(training)

    assert again is first
    assert session.counts.subject == 2


def test_another_question_is_asked():
    session, transcript = Session("quick", 0), Transcript()

    a_bench(session, transcript).train(a_training(array(1.0)))
    shown = a_bench(session, transcript).train(a_training(array(2.0)))

    assert shown.params[0][0] == array(0.0)
    assert session.counts.subject == 2


def test_the_same_question_twice_gets_two_answers():
    session = Session("quick", 0)
    bench = a_bench(session)
    training = a_training(array(1.0))

    assert bench.train(training) is not bench.train(training)
    assert session.counts.subject == 2


def test_a_missing_gradient_leaves_the_enclosures_as_they_are():
    rows = a_bench().enclosures(a_training(None, array(1.0), None))

    params = [row[0][0] for row in rows]
    assert [float(param.midpoint[0]) for param in params] == [1.0, 0.5, 0.5]
    assert params[0].error == array(0.0)
    assert params[2] is params[1]


def test_subjects_get_their_own_copies_with_the_same_strides():
    seen = []

    def factory(params, groups, *, dtype, device):
        seen.extend(params)
        return HONEST(params, groups, dtype=dtype, device=device)

    strided = np.arange(12.0).reshape(3, 4)[:, ::2]
    groups = (Group((0,), {"learning_rate": 0.5}),)
    a_bench(factory=factory).train(Training((strided,), groups, ()))

    assert np.array_equal(seen[0], strided)
    assert seen[0].strides == strided.strides
    assert not np.shares_memory(seen[0], strided)
