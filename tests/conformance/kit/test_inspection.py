"""The kit for backends calls each vice of an adapter by its name, and lets honest ones pass."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from conformance import UsageError, assert_backend_conforms, run
from conformance.backends import Backend, Expectation, Implementation
from conformance.report import Report
from tests.helpers import adapters
from tests.helpers.adapters import HONEST

#: What each vice is worth: how the kit's words begin, and the status of the check whether it follows its formula. What
#: conforms there is told by the kit alone.
DESERTS: dict[str, tuple[str, str]] = {
    "offers what is not there": ("pickled, which is among its offers, but Momentum has no such method", "conforms"),
    "hides what is there": (
        "nothing of the method copied that Momentum has, but it must be among the factory's offers, or withheld",
        "conforms",
    ),
    "writes to gradients": ("to leave the gradients that it is given alone, but wrote to number 0", "conforms"),
    "keeps parameters": ("to keep copies of its own, but when its parameters were overwritten, tensor 0", "conforms"),
    "keeps parameters, and writes elsewhere": (
        "to keep copies of its own, but when its parameters were overwritten, tensor 0",
        "conforms",
    ),
    "keeps gradients": ("to keep copies of its own, but when its gradients were overwritten, tensor ", "conforms"),
    "keeps hyperparameters": (
        "to keep copies of its own, but when its hyperparameters were overwritten, tensor 0",
        "conforms",
    ),
    "changes hyperparameters": (
        "to leave the hyperparameters that it is given alone, but made [{'learning_rate':",
        "conforms",
    ),
    "shows its arrays": (
        "to keep copies of its own, but when its arrays that it returned were overwritten, tensor 0",
        "conforms",
    ),
    "shares state": (
        "that a new subject starts anew and that the same inputs give the same results, but when they",
        "flaky",
    ),
    "sees its neighbour": ("subjects that share nothing, but beside", "conforms"),
    "forgets": ("to remember from update to update, but the last update of tensor 0", "deviates"),
    "ignores momentum": ("to use momentum of group 0, but with another", "deviates"),
    "ignores what is set": (
        "to use learning_rate of group 0 as it is set before step 2, but with another value tensor 0",
        "deviates",
    ),
    "sets for all": (
        "to use learning_rate of group 1 as it is set before step 2 there alone, but with another",
        "deviates",
    ),
    "has one group": ("to use learning_rate of group 0 there alone, but", "deviates"),
    "rounds parameters": ("parameter 0 of the shapes (2,), (), ", "deviates"),
    "rounds gradients": (
        "to compute with all digits of float64 that it is given, but with other last digits tensor",
        "deviates",
    ),
    "shows float32": ("parameter 0 of the shapes ", "deviates"),
    "shows lists": ("parameter 0 of the shapes ", "conforms"),
    "flattens": ("parameter 1 of the shapes ", "deviates"),
    "reverses": ("parameter 0 of the shapes ", "deviates"),
    "loses the last": ("an answer or Rejected, but this came of it: showed 2 parameters of 3", "crash"),
    "refuses scalars": (
        "to take parameters of the shapes (2,), (), (0,), (1,), (2, 3), (4, 3), (3, 2), (3, 4), or raise Rejected, but it failed: ValueError: no scalars",
        "crash",
    ),
    "rejects all": (
        "an implementation of momentum_heavy_ball, but refused all that was drawn: not today",
        "mistrusted",
    ),
    "misreads layouts": (
        "to read arrays whatever their layout, but of arrays that are transposed, tensor ",
        "deviates",
    ),
    "shows more": ("the state momentum_buffer, but tensor 0 has velocity", "conforms"),
    "shows less": ("to show momentum_buffer, but no update has shown it", "mistrusted"),
    "shares with its copy": (
        "a subject that is copied and shares nothing with what comes of it, but tensor ",
        "conforms",
    ),
    "loads parameters alone": (
        "an optimizer into which its own past is loaded after a detour goes on bit for bit as without it",
        "conforms",
    ),
    "steps when it is saved": (
        "an optimizer that is saved before every step goes on bit for bit as one that is not",
        "conforms",
    ),
    "takes missing gradients for zeros": (
        "whatever a training program does with an optimizer, in any order, each update is the formula's",
        "deviates",
    ),
    "draws": ("that a new subject starts anew and that the same inputs give the same", "deviates"),
    "seeds": ("to leave alone what the whole process shares, but changed the random numbers of numpy", "conforms"),
    "sets numpy's errors": ("to leave alone what the whole process shares, but changed numpy's handling", "conforms"),
    "sets the environment": ("to leave alone what the whole process shares, but changed the environment", "conforms"),
    "leaves its folder": (
        "to leave alone what the whole process shares, but changed the working directory",
        "conforms",
    ),
    "prints": ("to print nothing, but printed 'stepping'", "conforms"),
    "prints to errors": ("to print nothing, but printed 'careful'", "conforms"),
    "warns": ("to give no warnings, but warned: DeprecationWarning: old", "conforms"),
    "raises": ("an answer or Rejected, but this came of it: KeyError: 'lr'", "crash"),
    "exits": ("an answer or Rejected, but this came of it: SystemExit: 0", "crash"),
}

#: What functions deserve, by name.
FUNCTIONS = {
    "_in_place": "to leave the arrays that it is given alone, but wrote to number 0: it is ",
    "_same_where_nothing_is_clipped": "calls that share nothing with the caller or each other, but when its arguments were",
    "_into_one_array": "calls that share nothing with the caller or each other, but when an earlier result was",
    "_to_one": "to use clip_value, but with another value the result is ",
    "_of_single": "to compute with all digits of float64 that it is given, but with other last digits the result is ",
    "_in_memory_order": "to read arrays whatever their layout, but of arrays that are transposed, the result is ",
    "_constant": "to leave the arrays that it is given alone, but wrote to number 0: it is ",
}
#: And what those deserve that are known from tests of isolation, which say how a run ends that has them.
MILD = {
    "raises": "an answer or Rejected, but this came of it: ValueError: no",
    "exits": "an answer or Rejected, but this came of it: SystemExit: 0",
    "leaves a generator": "an answer or Rejected, but this came of it: GeneratorExit: ",
    "has no memory": "an answer or Rejected, but this came of it: MemoryError: ",
    "prints": "to print nothing, but printed 'clipping'",
    "writes to its input": "to compute with all digits of float64 that it is given, but with other last digits the result",
    "keeps state": "that a new subject starts anew and that the same inputs give the same results, but when they came",
    "seeds": "to leave alone what the whole process shares, but changed the random numbers of Python and the random",
    "takes signals": "to leave alone what the whole process shares, but changed signal handlers",
    "leaves its folder": "to leave alone what the whole process shares, but changed the working directory",
    "wrong dtype": "a result as a float64 array of shape (1,) that holds numbers of float64, but the array is one of int8",
    "text": "an answer or Rejected, but this came of it: TypeError: the result holds str",
    "wrong shape": "a result as a float64 array of shape (1,) that holds numbers of float64, but the shape is (2,)",
    "nothing": "a result as a float64 array of shape (1,) that holds numbers of float64, but gave a NoneType",
    "computes in float32": "a result as a float64 array of shape (1,) that holds numbers of float64, but the array is one",
}
LETHAL = {
    "reads address 0": "an answer or Rejected, but this came of it: killed by SIGSEGV",
    "aborts": "an answer or Rejected, but this came of it: killed by SIGABRT",
    "exits at once with 3": "an answer or Rejected, but this came of it: exited with code 3",
    "hoards": "an answer or Rejected, but this came of it: exceeded 0.5 GiB of memory",
    "writes from C": "to print nothing, but printed 'from C to output'",
}

_FAULT = re.compile(r"^  \w+\.adapter@(?P<label>.+)\[float64,cpu\]: promises (?P<words>.*)$", re.MULTILINE)


def faults(backend: str | Backend, **settings: Any) -> dict[str, str]:
    """What the kit says of each implementation that fails, without the first word."""
    with pytest.raises(AssertionError) as failure:
        assert_backend_conforms(backend, **settings)
    return dict(_FAULT.findall(str(failure.value)))


def of(*implementations: Implementation) -> Backend:
    return Backend("described", "1", implementations)


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What the kit says of the optimizers with vices, and of what is honest after them."""
    return faults(adapters.BACKEND)


@pytest.fixture(scope="module")
def judged() -> Report:
    """A run of the same."""
    return run(adapters.BACKEND, select="follows", dtypes=["float64"])


def test_every_vice_has_its_desert_and_no_virtue(told: dict[str, str]) -> None:
    assert list(DESERTS) == list(adapters.VICES)
    assert set(told) == set(DESERTS)


@pytest.mark.parametrize("vice", DESERTS)
def test_a_vice_is_called_by_its_name(told: dict[str, str], vice: str) -> None:
    assert told[vice].startswith(DESERTS[vice][0])


@pytest.mark.parametrize("vice", DESERTS)
def test_a_run_ends_as_a_vice_deserves(judged: Report, vice: str) -> None:
    (record,) = (record for record in judged.checks if record.implementation == vice)

    assert (record.status, record.counted) == (DESERTS[vice][1], True)


def test_a_run_judges_what_is_honest_as_if_it_were_alone(judged: Report) -> None:
    alone = run(replace(adapters.BACKEND, implementations=(HONEST,)), select="follows", dtypes=["float64"])

    assert alone.status == "conforms"
    assert judged.checks[-1] == alone.checks[0]


def test_functions_and_schedules_with_vices_are_told() -> None:
    found = faults(adapters.FUNCTIONS)

    assert list(found) == list(FUNCTIONS)  # and not the honest one among them
    assert all(found[name].startswith(words) for name, words in FUNCTIONS.items()), found


def test_what_a_run_survives_is_told_in_the_same_process() -> None:
    found = faults("tests.helpers.vices:SURVIVABLE", isolate=False)

    assert list(found) == list(MILD)
    assert all(found[name].startswith(words) for name, words in MILD.items()), found


def test_what_ends_its_process_is_told_and_those_after_it_are_not() -> None:
    select = "(reads or aborts[ or with or hoards or from) and not while"
    found = faults("tests.helpers.vices:BACKEND", select=select, memory=0.5)

    assert {name: found[name][: len(words)] for name, words in LETHAL.items()} == LETHAL
    assert list(found) == list(LETHAL)


def test_what_hangs_is_told() -> None:
    found = faults("tests.helpers.vices:BACKEND", select="@sleeps or sleeps[", timeout=2)

    assert found == {"sleeps": "an answer or Rejected, but this came of it: no answer within 2 s"}


@pytest.mark.parametrize("implementation", [HONEST, *adapters.PARDONED], ids=lambda entry: entry.label)
def test_honest_adapters_pass(implementation: Implementation) -> None:
    assert_backend_conforms(of(implementation))


def test_what_is_declared_wide_and_kept_narrow_is_told_in_every_dtype() -> None:
    wide = replace(HONEST, label="wide", factory=adapters.Factory(adapters.ComputesInDouble), dtypes=("float32",))

    with pytest.raises(AssertionError, match=r"holds numbers of float32, but .* is none"):
        assert_backend_conforms(of(wide))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            replace(HONEST, formula="adum"),
            "promises a formula and an evaluation that there are, but no formula has the id 'adum'",
        ),
        (replace(HONEST, evaluation="backwards"), "promises a formula and an evaluation that there are, but the"),
        (replace(HONEST, label=""), "promises a label, but has none"),
        (replace(HONEST, dtypes=()), "promises a dtype and a device, but declares none"),
        (replace(HONEST, dtypes=("float8",)), "promises dtypes among float64, float32, bfloat16, float16, but names"),
        (replace(HONEST, state=("velocity",)), "promises state among momentum_buffer, but names velocity"),
        (replace(HONEST, fixed={"beta1": 0.5}), "promises fixed among learning_rate, momentum, but names beta1"),
        (replace(HONEST, fixed={"momentum": -2.0}), "promises that momentum is fixed in its domain"),
        (replace(HONEST, kept={"momentum": 0.5}), "promises kept among "),
        (replace(HONEST, factory=replace(HONEST.factory, offers=("copies",))), "promises offers among resumed, copied"),
        (
            replace(adapters.FUNCTIONS.implementations[0], factory=HONEST.factory),
            "promises copied, but that is asked of optimizers alone",
        ),
        (
            replace(HONEST, expected=(Expectation("follows", ("float64",), "why", "link", "1"),)),
            "promises expected properties among follows_the_formula, ",
        ),
        (
            replace(HONEST, expected=(Expectation("permutation", ("float16",), "why", "link", "1"),)),
            "promises dtypes of what is expected of permutation among float64, float32, but names float16",
        ),
        (
            replace(HONEST, expected=(Expectation("permutation", ("float64",), "", "link", "1"),)),
            "promises the reason of what is expected of permutation, but there is none",
        ),
        (
            replace(HONEST, expected=(Expectation("late_group_starts_anew", ("float64",), "why", "link", "1"),)),
            "promises that late_group_starts_anew is known to fail, but it is not checked: honest does not offer",
        ),
    ],
)
def test_records_that_contradict_themselves_are_told(entry: Implementation, words: str) -> None:
    with pytest.raises(AssertionError) as failure:
        assert_backend_conforms(of(entry))

    head, line = str(failure.value).splitlines()
    assert head == "described 1 does not keep what adapters promise (records):"
    assert line.startswith(f"  {entry.formula}@{entry.label}: {words}")


def test_labels_must_tell_implementations_apart() -> None:
    with pytest.raises(AssertionError, match=r"@honest\[float64,cpu\]: promises a label of its own, but 2 have it"):
        assert_backend_conforms(of(HONEST, HONEST))


def test_a_backend_without_implementations_promises_nothing() -> None:
    with pytest.raises(AssertionError, match="described has no implementations"):
        assert_backend_conforms(of())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"select": "adam"}, "select must match the id of a subject of described, got select='adam'"),
        ({"devices": ["cuda"]}, "select must match the id of a subject of described"),
        ({"dtypes": ["float8"]}, "dtypes must be a sequence of names among float64, "),
        ({"seed": -1}, "seed must be an integer of at least 0, got seed=-1"),
        ({"timeout": 5}, "timeout must not be given unless isolate is True, got timeout=5"),
    ],
)
def test_wrong_usage_is_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        assert_backend_conforms(of(HONEST), **settings)


def test_what_is_fixed_need_not_show_and_what_cannot_show_is_said() -> None:
    assert_backend_conforms(of(replace(HONEST, fixed={"momentum": 0.0})), dtypes=["float64"])

    found = faults(of(replace(HONEST, fixed={"learning_rate": 0.0})), dtypes=["float64"])
    assert found["honest"].startswith("to use momentum of group 0, momentum of group 0 as it is set before step 2, ")
    assert found["honest"].endswith("but no run that was drawn shows it")
