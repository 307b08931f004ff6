"""The kill matrix says which claim notices which fault, and what nobody notices."""

from __future__ import annotations

import json

import pytest

from conformance import UsageError
from conformance.cli import main
from conformance.selftest import Kill, Matrix, read, selftest


def test_a_fault_is_noticed_by_the_claims_that_name_it_and_rests_unnoticed_by_others():
    matrix = selftest("gd_gradients_cleared")

    noticed = {kill.claim: kill.cases for kill in matrix.kills}
    assert noticed["gradients_are_kept"] == 1
    assert noticed["follows_the_formula"] == 0
    assert matrix.survivors == ()
    assert matrix.first_cases == {"gd_gradients_cleared": 1}


def test_a_fault_that_the_chosen_claims_cannot_notice_survives():
    matrix = selftest("gd_gradients_cleared and follows_the_formula")

    assert matrix.survivors == ("gd_gradients_cleared",)
    assert "survives  gd_gradients_cleared" in matrix.summary()


def test_the_first_claim_that_notices_a_fault_may_be_the_last_to_be_tried():
    matrix = selftest("gd_gradients_cleared", first=True)

    assert [kill.claim for kill in matrix.kills] == ["gradients_are_kept"]
    assert matrix.alone == {"gd_gradients_cleared": "gradients_are_kept"}


def test_a_fault_that_another_dtype_allows_is_left_out():
    chosen = "adam_float32_state and follows_the_formula"

    assert selftest(chosen).survivors == ()
    with pytest.raises(UsageError, match="adam_float32_state"):
        selftest(chosen, dtype="float32")


def test_a_survivor_that_no_input_shows_is_explained_and_fails_no_command(capsys):
    chosen = "adam_step_counter_in_float16 and bias_correction"

    assert selftest(chosen).unexplained == ()
    assert main(["selftest", "-k", chosen]) == 0
    assert "survives  adam_step_counter_in_float16: the trainings of the quick" in capsys.readouterr().out


def test_a_matrix_is_read_as_it_was_written():
    matrix = Matrix("quick", "float64", 3, (Kill("first", "gd", "permutation", 2, 0.25),))

    assert read(matrix.as_json()) == matrix


def test_a_fault_must_fail_under_every_evaluation_of_the_formula():
    matrix = selftest("schedule_triangular and follows_the_formula")

    assert matrix.faults
    assert matrix.survivors == ()


def test_the_summary_counts_what_each_claim_notices_alone():
    kills = (
        Kill("first", "gd", "permutation", 2, 0.25),
        Kill("first", "gd", "sign_symmetry", 1, 0.5),
        Kill("second", "gd", "permutation", 7, 0.5),
        Kill("third", "gd", "permutation", 0, 0.0),
    )

    lines = Matrix("quick", "float64", 0, kills).summary().splitlines()

    assert lines[0].startswith("2 of 3 faults noticed")
    assert lines[1].endswith("cases until the first claim notices: median 7, at most 7")
    assert lines[2].endswith("seconds until the fastest claim notices: median 0.500, at most 0.500")
    assert lines[3] == "  survives  third"
    assert [line.split() for line in lines[-2:]] == [["1", "0", "sign_symmetry"], ["2", "1", "permutation"]]


def test_the_command_prints_the_matrix_and_writes_every_pair(tmp_path, capsys):
    file = tmp_path / "matrix.json"

    assert main(["selftest", "-k", "gd_gradients_cleared", "--output", str(file)]) == 0

    assert "1 of 1 faults noticed" in capsys.readouterr().out
    assert {kill["fault"] for kill in json.loads(file.read_text())["kills"]} == {"gd_gradients_cleared"}


def test_the_command_fails_if_a_fault_survives(capsys):
    assert main(["selftest", "-k", "gd_gradients_cleared and permutation"]) == 1
    assert "survives" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"select": "no_such_fault"}, "no_such_fault"), ({"profile": "fast"}, "fast"), ({"dtype": "float8"}, "float8")],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(UsageError, match=named):
        selftest(**arguments)


def test_the_file_of_the_command_ends_in_json(tmp_path, capsys):
    assert main(["selftest", "-k", "gd_gradients_cleared", "--output", str(tmp_path)]) == 2
    assert ".json" in capsys.readouterr().err
