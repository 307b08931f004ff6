"""A baseline excuses what it pins for as long as that is there, and says so when it is not."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from conformance import assert_conforms, check, cli, run
from conformance.backends import Backend, Implementation
from conformance.baseline import Deviation, dumps, read, updated
from conformance.errors import UsageError
from conformance.jsonlines import dumps as lines
from conformance.targets import implementation
from oracle.arithmetic.formats import precision_models
from properties.subject import Rejected
from tests.helpers.judging import HONEST, rule_from
from tests.helpers.reports import check_record, deviation, report_of

ID = "relu.follows_the_formula@mine[float64,cpu]"
ZERO = '{"arrays": [["-0x1.0000000000000p+0"]], "hyperparameters": {}}'
LEAK = Deviation(
    *("relu", "follows_the_formula", "mine", "float64", "cpu", "deviates"),
    {"call": {"arrays": [["-0x1.0000000000000p+0"]], "hyperparameters": {}}},
    quantity="result",
    reason="It leaks.",
)


def honest(x):
    return np.maximum(x, 0)


def leaky(x):
    return np.where(x > 0, x, 0.5 * x)


def steep(x):
    return np.where(x > 1, 2 * x, np.maximum(x, 0))


def raising(x):
    raise OSError("no kernel")


def refusing(*, dtype, device):
    def function(x):
        raise Rejected("nothing pleases it")

    return function


def unordered(x):
    """Reads memory in its order, whatever the strides."""
    return np.maximum(x, 0) if x.flags.c_contiguous else np.maximum(x, 0).ravel(order="K").reshape(x.shape)


def a_backend(function, *dtypes):
    subject = implementation(function, "relu", arrays="numpy")
    others = replace(implementation(honest, "relu", arrays="numpy"), label="other", dtypes=("float64",))
    return Backend("fake", "1.0", (replace(subject, label="mine", dtypes=dtypes or ("float64",)), others))


@pytest.fixture
def pin(tmp_path):
    """Writes deviations to a file."""

    def write(*deviations: Deviation) -> Path:
        path = tmp_path / "known.toml"
        path.write_text(dumps({deviation.key: deviation for deviation in deviations}), encoding="utf-8")
        return path

    return write


def replayed(path, function, *dtypes):
    """The one check of a replay."""
    (record,) = run(a_backend(function, *dtypes), baseline=path, replay=True).checks
    return record


# What happens to the pinned counterexample.


def test_what_still_fails_as_pinned_is_as_expected(pin):
    record = replayed(pin(replace(LEAK, link="https://example.org/1")), leaky)

    assert (record.id, record.status, record.cases) == (ID, "expected-deviation", 1)
    assert record.message.startswith("It leaks. (https://example.org/1); result")
    assert record.counterexample["inputs"] == LEAK.inputs


def test_what_passes_is_noticed(pin):
    record = replayed(pin(LEAK), honest)

    assert record.status == "unexpected-pass"
    assert record.message == "expected to deviate, and does not: It leaks. (in the baseline)"


def test_what_crashes_is_no_deviation(pin):
    record = replayed(pin(LEAK), raising)

    assert record.status == "crash"
    assert record.message.startswith("pinned as deviates, now crash: OSError: no kernel")


def test_a_crash_is_expected_as_a_crash_alone(pin):
    path = pin(replace(LEAK, outcome="crash", quantity=""))

    assert replayed(path, raising).status == "expected-deviation"
    assert replayed(path, leaky).status == "deviates"
    assert replayed(path, honest).status == "unexpected-pass"


def test_what_fails_in_another_quantity_is_something_else(pin):
    record = replayed(pin(replace(LEAK, quantity="momentum_buffer")), leaky)

    assert record.status == "deviates"
    assert record.message.startswith("pinned in momentum_buffer, now in result: ")


def test_what_is_refused_fails_no_longer(pin):
    record = replayed(pin(LEAK), refusing)

    assert record.status == "unexpected-pass"
    assert record.message.startswith("pinned as deviates, now mistrusted: the implementation refused")


def test_a_counterexample_is_one_to_the_loosest_precision(pin):
    record = replayed(pin(replace(LEAK, dtype="float32")), honest, "float32")

    assert record.precision == str(precision_models("float32")[-1])


def test_a_deviation_that_lies_in_the_strides_is_there_when_it_is_read_again(tmp_path):
    before = run(a_backend(unordered), select="follows_the_formula and mine")
    path = tmp_path / "known.toml"
    path.write_text(dumps(updated({}, before, "Strides are ignored.").deviations))

    assert before.status == "deviates"
    assert "strides" in path.read_text()
    assert replayed(path, unordered).status == "expected-deviation"
    assert replayed(path, honest).status == "unexpected-pass"


def test_a_training_is_replayed(tmp_path):
    climbs = rule_from(lambda theta, g, h: theta + h.learning_rate * g)

    def backend(factory):
        return Backend("fake", "1.0", (Implementation("gd", "mine", factory, ("float64",)),))

    before = run(backend(climbs), dtypes=("float64",))
    path = tmp_path / "known.toml"
    path.write_text(dumps(updated({}, before, "It climbs.").deviations))
    after = run(backend(climbs), baseline=path, replay=True)

    deviate = [record.id for record in before.checks if record.status == "deviates"]
    assert len(deviate) > 1
    assert [record.id for record in after.checks] == deviate
    assert {record.status for record in after.checks} == {"expected-deviation"}
    assert run(backend(HONEST), baseline=path, replay=True).status == "unexpected-pass"


# What happens in a run.


def judged(path, function):
    """The differential check of a run."""
    only = {"select": "follows_the_formula and mine", "dtypes": ("float64",)}
    (record,) = run(a_backend(function), baseline=path, **only).checks
    return record


def test_a_run_expects_what_is_pinned_and_nothing_else(pin):
    report = run(a_backend(leaky), baseline=pin(LEAK), dtypes=("float64",))
    statuses = {record.id: record.status for record in report.checks}

    assert statuses[ID] == "expected-deviation"
    assert statuses["relu.reflection@mine[float64,cpu]"] == "deviates"
    assert report.environment["baseline"].endswith("with 1 known here")
    assert next(record.reproduce for record in report.checks if record.id == ID).endswith("known.toml")


def test_a_deviation_that_is_gone_makes_a_run_fail(pin):
    assert judged(pin(LEAK), honest).status == "unexpected-pass"


def test_a_deviation_that_no_draw_meets_is_there_all_the_same(pin):
    odd = 0.7071

    def rare(x):
        return np.where(x == odd, 1, np.maximum(x, 0))

    pinned = replace(LEAK, inputs={"call": {"arrays": [[odd.hex()]], "hyperparameters": {}}})

    assert judged(None, rare).status == "conforms"
    assert judged(pin(pinned), rare).status == "expected-deviation"


def test_a_deviation_that_is_gone_excuses_no_other(pin):
    record = judged(pin(LEAK), steep)

    assert record.status == "deviates"
    assert record.counterexample["inputs"] != LEAK.inputs


def test_a_crash_beside_a_known_deviation_is_not_excused(pin):
    def fragile(x):
        if x.size > 3:
            raise OSError("no kernel")
        return leaky(x)

    assert judged(pin(LEAK), fragile).status == "crash"


def test_a_crash_and_a_deviation_of_one_check_are_both_known(pin):
    def fragile(x):
        if x.size > 3:
            raise OSError("no kernel")
        return leaky(x)

    crash = replace(LEAK, outcome="crash", quantity="", reason="It raises.")
    crash = replace(crash, inputs={"call": {"arrays": [["-0x1p+0"] * 4], "hyperparameters": {}}})
    path = pin(LEAK, crash)
    record = judged(path, fragile)

    assert record.status == "expected-deviation"
    assert "It raises. (in the baseline); It leaks. (in the baseline); " in record.message
    assert run(a_backend(fragile), baseline=path, replay=True).checks[0].cases == 2
    assert judged(path, lambda x: np.maximum(x, 0) if x.size > 3 else leaky(x)).status == "unexpected-pass"
    alone = judged(pin(crash), fragile)
    assert (alone.status, alone.counterexample["inputs"]) == ("deviates", LEAK.inputs)  # as simple as ever


def test_a_class_is_judged_with_its_known_deviations(pin):
    label = check(leaky, "relu", arrays="numpy", dtypes=("float64",)).checks[0].implementation
    path = pin(
        *(
            replace(LEAK, implementation=label, claim=record.property, inputs=record.counterexample["inputs"])
            for record in check(leaky, "relu", arrays="numpy", dtypes=("float64",)).checks
            if record.status == "deviates"
        ),
        replace(LEAK, implementation="another"),
    )

    assert_conforms(leaky, "relu", arrays="numpy", dtypes=("float64",), baseline=path)
    with pytest.raises(AssertionError, match="unexpected-pass"):
        conforming = replace(implementation(honest, "relu", arrays="numpy"), label=label)
        assert_conforms(conforming, "relu", dtypes=("float64",), baseline=path)


def test_a_replay_needs_a_baseline():
    for judge in (lambda: run(a_backend(honest), replay=True), lambda: check(honest, "relu", replay=True)):
        with pytest.raises(UsageError, match="replay must not be True without a baseline"):
            judge()


# Which entries are accepted, and which apply.


def test_an_entry_needs_a_reason(pin):
    with pytest.raises(UsageError, match=r"known.toml: relu.follows_the_formula@mine\[float64,cpu\] needs a reason"):
        judged(pin(replace(LEAK, reason=" ")), leaky)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"implementation": "mime"}, ID),
        ({"claim": "reflection", "implementation": "mime"}, "relu.reflection@mine[float64,cpu]"),
    ],
)
def test_a_label_that_there_is_not_gets_the_nearest_ids(pin, changes, named):
    with pytest.raises(UsageError, match="is the id of no check; the nearest are ") as raised:
        judged(pin(replace(LEAK, **changes)), leaky)

    nearest = str(raised.value).partition("the nearest are ")[2].split(", ")
    assert named in ", ".join(nearest)


def test_a_check_that_is_not_made_cannot_be_excused(pin):
    with pytest.raises(UsageError, match="is not judged: mine declares float64 on cpu"):
        judged(pin(replace(LEAK, dtype="float16")), leaky)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"device": "cuda"}, "it is on cuda, this run on cpu"),
        ({"when": "numpy<1"}, f"it needs numpy<1, this is {version('numpy')}"),
        ({"when": "nothing-of-this-name"}, "it needs nothing-of-this-name, which is not installed"),
        ({"when": "numpy; python_version < '3'"}, 'it needs python_version < "3"'),
    ],
)
def test_what_cannot_show_here_is_skipped_and_named(pin, changes, why):
    skipped = replace(LEAK, **changes)
    report = run(a_backend(leaky), baseline=pin(skipped), select="follows_the_formula and mine")

    assert report.status == "deviates"
    assert report.environment["baseline"].endswith(f"with 0 known here; skipped {skipped.id}: {why}")


def test_what_can_show_here_applies(pin):
    assert judged(pin(replace(LEAK, when="numpy>=1; python_version >= '3'")), leaky).status == "expected-deviation"


def test_a_replay_of_nothing_shows_nothing(pin):
    report = run(a_backend(leaky), baseline=pin(replace(LEAK, when="numpy<1")), replay=True)

    assert (report.status, report.checks) == ("unsupported", ())


# The file.


def test_a_file_is_read_back_as_it_was_written(pin):
    odd = replace(LEAK, reason="It 'leaks' \"\\\n\x7f\t✓ 𝛾.", link="https://example.org/?a=1", when="numpy>=1")
    other = replace(LEAK, claim="reflection", quantity="", outcome="crash")

    assert read(pin(odd, other)) == {odd.key: odd, other.key: other}


def test_a_file_is_sorted_and_tells_the_inputs_in_decimals(pin):
    text = pin(LEAK, replace(LEAK, claim="far_from_zero")).read_text()

    assert list(tomllib.loads(text)["deviations"]) == ["relu.far_from_zero@mine[float64,cpu]", ID]
    assert text.endswith(
        f"""
[deviations."{ID}".deviates]
reason = "It leaks."
link = ""
when = ""
quantity = "result"
# x = [-1.0]
inputs.call = '{ZERO}'
"""
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("version = 1", "version = 2", "it has version = 1"),
        ("version = 1", "version = 1\nnote = 1", "and nothing else"),
        ("version = 1", "version =", "is no baseline: Invalid value"),
        (f'[deviations."{ID}".deviates]', "[deviations]", "reason must be a table, got 'It leaks.'"),
        (f'[deviations."{ID}".deviates]', f"[[deviations.'{ID}']]", "must be a table"),
        (
            f'[deviations."{ID}".deviates]',
            f"[deviations.'{ID}']",
            "outcome of .* must be deviates or crash, got 'reason'",
        ),
        ("follows_the", "follow_the", "the id of no check; the nearest are relu.follows_the_formula@mine"),
        ("float64", "float46", "the id of no check"),
        ("[float64,cpu]", "", "the id of no check; the nearest are relu.follows_the_formula@mine,"),
        (ID, "mine", "the id of no check"),
        ('link = ""', 'url = ""', "has no url, but reason, link, when, quantity and inputs"),
        ('link = ""', "link = 1", "link of .* must be text, got 1"),
        (".deviates", ".flaky", "outcome of .* must be deviates or crash, got 'flaky'"),
        ('when = ""', 'when = "numpy 1"', "when of .* must be a requirement such as 'torch<2.14', got 'numpy 1'"),
        ("inputs.call", "inputs", "inputs of .* are none of a check: AttributeError"),
        (
            "inputs.call",
            "inputs.training",
            "inputs of .* are none of a check: TypeError: missing a required argument: 'call'",
        ),
        ("arrays", "array", "inputs of .* are none of a check: KeyError: 'arrays'"),
        ("-0x1.", "-0y1.", "inputs of .* are none of a check: ValueError"),
    ],
)
def test_a_file_that_is_none_is_refused(pin, before, after, message):
    path = pin(LEAK)
    path.write_text(path.read_text().replace(before, after))

    with pytest.raises(UsageError, match=message) as raised:
        read(path)
    assert str(path) in str(raised.value)


# What a report changes.


def test_new_deviations_are_pinned():
    record = deviation()
    update = updated({}, report_of(record, check_record("conforms", property="unbiased")), "Known.")

    assert update.added == [(record.id, "deviates")]
    (pinned,) = update.deviations.values()
    assert (pinned.id, pinned.outcome, pinned.quantity, pinned.reason) == (record.id, "deviates", "param", "Known.")
    assert pinned.inputs == record.counterexample["inputs"]


def test_words_are_kept_and_inputs_are_renewed():
    record = deviation()
    (old,) = updated({}, report_of(record), "Mine.").deviations.values()
    old = replace(old, link="https://example.org/1", when="numpy>=1", inputs={})
    update = updated({old.key: old}, report_of(record), "Another.")

    assert (update.added, update.gone) == ([], [])
    assert update.deviations == {old.key: replace(old, inputs=record.counterexample["inputs"])}


@pytest.mark.parametrize("status", ["conforms", "unexpected-pass"])
def test_what_is_gone_is_dropped(status):
    record = deviation()
    old = updated({}, report_of(record), "Known.").deviations
    update = updated(old, report_of(check_record(status)))

    assert (update.deviations, update.gone) == ({}, [(record.id, "deviates")])


@pytest.mark.parametrize(
    "records", [(), (check_record("expected-deviation"),), (check_record("unsupported", counted=False),)]
)
def test_what_a_report_does_not_say_to_be_gone_stays(records):
    old = updated({}, report_of(deviation()), "Known.").deviations

    assert updated(old, report_of(*records)).deviations == old


def test_what_cannot_show_here_is_not_gone():
    (known,) = updated({}, report_of(deviation()), "Known.").deviations.values()
    elsewhere = {known.key: replace(known, when="numpy<1")}

    assert updated(elsewhere, report_of(check_record("conforms"))).deviations == elsewhere


@pytest.mark.parametrize("status", ["crash", "timeout", "flaky", "harness-error", "mistrusted"])
def test_what_has_no_input_that_fails_each_time_is_left(status):
    record = check_record(status)
    update = updated({}, report_of(record))

    assert (update.deviations, update.left) == ({}, [(record.id, status)])


def test_a_deviation_is_pinned_beside_a_crash_of_the_same_check():
    crash = deviation(status="crash", counterexample={"inputs": deviation().counterexample["inputs"]})
    both = updated(updated({}, report_of(crash), "Raises.").deviations, report_of(deviation()), "Deviates.").deviations
    gone = updated(both, report_of(check_record("unexpected-pass")))

    assert {outcome: known.reason for (_, outcome), known in both.items()} == {
        "crash": "Raises.",
        "deviates": "Deviates.",
    }
    assert (gone.deviations, gone.left) == (both, [(crash.id, "unexpected-pass")])
    assert updated(both, report_of(check_record("conforms"))).deviations == {}


# The commands.

MODULE = """
from dataclasses import replace

import numpy as np

from conformance.backends import Backend
from conformance.targets import implementation


def leaky(x):
    return np.where(x > 0, x, 0.5 * x)


def backend():
    subject = implementation(leaky, "relu", arrays="numpy")
    return Backend("fake", "1.0", (replace(subject, label="mine", dtypes=("float64",)),))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a backend, in which commands are run."""
    name = f"leaking_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_baseline_is_written_reviewed_and_checked(folder, tmp_path, capsys):
    run_it = ["run", f"{folder}:backend", "--no-isolate", "--dtype", "float64"]
    check_it = ["baseline", "check", "known.toml", f"{folder}:backend"]

    assert cli.main([*run_it, "--output", "report.jsonl"]) == 1
    assert cli.main(["baseline", "write", "report.jsonl", "-o", "known.toml"]) == 0
    assert f"new: {ID} (deviates)\n" in (out := capsys.readouterr().out)
    assert f"needs a reason: {ID} (deviates)\n" in out
    assert out.endswith("written: known.toml, 3 known deviations\n")
    assert cli.main(check_it) == 2
    assert "needs a reason" in capsys.readouterr().err

    assert cli.main(["baseline", "write", "report.jsonl", "-o", "known.toml", "--reason", "It leaks."]) == 0
    assert "new: " not in capsys.readouterr().out
    assert cli.main(check_it) == 0  # in a process of its own
    assert "3 checks: 3 deviate as known" in capsys.readouterr().out
    assert cli.main([*run_it, "--baseline", "known.toml"]) == 0
    assert "3 deviate as known" in capsys.readouterr().out

    (tmp_path / "mended.py").write_text(MODULE.replace("0.5 * x", "0"))
    assert cli.main(["baseline", "check", "known.toml", "mended:backend", "--no-isolate"]) == 1
    assert "3 checks: 3 pass against expectation" in capsys.readouterr().out

    (tmp_path / "known.toml").write_text((tmp_path / "known.toml").read_text().replace("@mine", "@mime"))
    assert cli.main([*check_it, "--no-isolate"]) == 2
    assert "the nearest are relu.far_from_zero@mine[float64,cpu], " in capsys.readouterr().err


def test_the_baseline_of_a_target_is_checked(folder, capsys):
    target, claims = f"{folder}:leaky", ["--as", "relu"]

    assert cli.main(["check", target, *claims, "--no-isolate", "--output", "report.jsonl"]) == 1
    assert cli.main(["baseline", "write", "report.jsonl", "-o", "known.toml", "--reason", "It leaks."]) == 0
    assert cli.main(["baseline", "check", "known.toml", target, *claims, "--no-isolate"]) == 0
    assert cli.main(["check", target, *claims, "--no-isolate", "--baseline", "known.toml"]) == 0
    assert capsys.readouterr().out.count("deviate as known") == 2


def test_what_cannot_be_pinned_is_told(tmp_path, capsys):
    report = tmp_path / "report.jsonl"
    report.write_text(lines(report_of(check_record("timeout"))))

    assert cli.main(["baseline", "write", str(report), "-o", str(tmp_path / "known.toml")]) == 1
    assert "left to you: adam.follows_the_formula@torch.optim.Adam[float32,cpu] (timeout)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["baseline"], "ACTION"),
        (["baseline", "write", "report.jsonl"], "-o"),
        (["baseline", "check", "nowhere.toml", "torch"], "nowhere.toml"),
        (["baseline", "check", "nowhere.toml", "torch", "--set", "eps=1"], "--set needs --as"),
        (["run", "torch", "fake:backend", "--baseline", "known.toml"], "--baseline is of one backend"),
        (["check", "torch.optim:Adam", "--baseline", "known.toml"], "--baseline need --as"),
    ],
)
def test_wrong_usage_takes_one_line(capsys, arguments, named):
    assert cli.main(arguments) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert named in line
