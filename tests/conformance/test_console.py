"""The console: quiet on success, complete on failure, and readable without colours."""

from __future__ import annotations

import io

import pytest

from conformance import console
from conformance.console import Progress, in_colour, print_report
from conformance.records import STATUSES
from conformance.report import Report
from tests.helpers.reports import check_record, deviation, every_status, report_of


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def printed(report: Report, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    print_report(report, stream)
    return stream.getvalue()


def test_success_takes_a_few_lines() -> None:
    text = printed(report_of(*(check_record(property=f"claim_{number}") for number in range(50))))

    assert len(text.splitlines()) <= 4
    assert "50 checks: 50 conform" in text


def test_the_seed_is_always_said() -> None:
    for records in ([], [check_record()], [deviation()]):
        assert "seed 7" in printed(report_of(*records))


def test_a_deviation_says_where_what_was_allowed_what_came_and_how_to_run_it_again() -> None:
    text = printed(report_of(deviation()))

    assert "torch.optim.Adam  as adam\n" in text
    assert "✖ deviates  follows_the_formula  [float32, cpu]" in text
    assert "where      param of tensor 0, element 3, after step 2" in text
    assert f"allowed    from 0.4 ({(0.4).hex()})\n                 to   0.41 ({(0.41).hex()})\n" in text
    assert f"came       0.45 ({(0.45).hex()})" in text
    assert "off by     9 times the bound, 1,234 ulp" in text
    assert "diagnosis  this is adam_eps_hat: the epsilon" in text
    assert "rerun      exactstep run torch -k adam.follows_the_formula --seed 0" in text


def test_the_summary_comes_last() -> None:
    lines = printed(report_of(deviation())).splitlines()

    assert lines.index("✖ deviates  torch 2.13.0  1 check: 1 deviates") > lines.index("torch.optim.Adam  as adam")
    assert lines[-2:] == ["  profile quick, seed 7", "  python 3.11.7, torch 2.13.0"]


def test_failures_stand_under_their_implementation() -> None:
    first, second = deviation(implementation="lib.A"), deviation(implementation="lib.B")
    text = printed(report_of(first, second, deviation(implementation="lib.A", dtype="float64")))

    assert text.count("lib.A  as adam") == 1
    assert text.index("[float64, cpu]") < text.index("lib.B  as adam")


def test_one_cause_is_told_once() -> None:
    same = [deviation(property=f"claim_{number}") for number in range(5)]
    text = printed(report_of(*same, deviation(property="other", diagnosis="none of the relatives")))

    assert text.count("diagnosis  ") == text.count("rerun  ") == 2
    assert "4 more checks of the same cause:" in text
    assert all(f"✖ deviates  claim_{number}  [float32, cpu]" in text for number in range(5))


def test_a_deviation_shows_its_input() -> None:
    lines = printed(report_of(deviation())).splitlines()

    first = lines.index("      input      learning_rate = 0.1")
    assert lines[first + 1 : first + 4] == [
        "                 param   [0.5]",
        "                 step 1  grad [1.0]",
        "                 step 2  grad missing",
    ]


def test_a_long_input_is_cut() -> None:
    steps = [{"grads": [[float(number).hex()]], "changes": {}} for number in range(50)]
    inputs = {"training": {**deviation().counterexample["inputs"]["training"], "steps": steps}}
    lines = printed(report_of(deviation(counterexample={"inputs": inputs}))).splitlines()

    assert len(lines) < 30
    assert any("more lines: --output has all" in line for line in lines)


def test_a_deviation_is_told_in_a_hundred_columns() -> None:
    long = {f"a_hyperparameter_of_many_{number}": (0.1).hex() for number in range(9)}
    group = {"tensors": [0], "hyperparameters": long}
    inputs = {"training": {**deviation().counterexample["inputs"]["training"], "groups": [group]}}
    text = printed(report_of(deviation(counterexample={**deviation().counterexample, "inputs": inputs})))

    assert max(map(len, text.splitlines())) <= 100
    assert "                   a_hyperparameter_of_many_2 = 0.1" in text


def test_nothing_judged_says_why() -> None:
    reasons = ("lib.Adam declares float64 on cpu", "lib.Other declares float64 on cpu")
    text = printed(report_of(*(check_record("unsupported", counted=False, message=why) for why in reasons)))

    assert "  nothing was judged: lib.Adam declares float64 on cpu (and 1 more reason)\n" in text
    assert "nothing was judged" not in printed(report_of(check_record(), check_record("unsupported", counted=False)))


def test_another_evaluation_than_the_printed_one_is_named_with_who_computes_it() -> None:
    records = [check_record(implementation=f"mine.{number}", evaluation="one_pass") for number in range(5)]

    text = printed(report_of(check_record(evaluation="adam"), *records))

    assert "within bounds of its own: one_pass by mine.0, mine.1, mine.2 and 2 more" in text
    assert "adam by" not in text


def test_the_matching_of_names_stands_apart_from_versions() -> None:
    text = printed(report_of(check_record(), environment={"torch": "2.13.0", "matching": "lr is learning_rate"}))

    assert "  matching: lr is learning_rate\n" in text
    assert text.endswith("  torch 2.13.0\n")


def test_a_crash_keeps_the_lines_of_its_traceback() -> None:
    text = printed(report_of(check_record("crash", message="ValueError: no\n  at adam.py:3 in step: raise")))

    assert "      ValueError: no\n" in text
    assert "        at adam.py:3 in step: raise\n" in text


def test_what_is_not_counted_is_mentioned_once() -> None:
    text = printed(report_of(check_record(), check_record("mistrusted", counted=False, dtype="bfloat16")))

    assert "bfloat16" not in text
    assert "not counted: 1 could not have noticed a fault" in text


def test_an_incomplete_run_says_so() -> None:
    text = printed(report_of(check_record(), complete=False))

    assert "harness-error" in text
    assert "did not come to its end" in text


def test_nothing_is_coloured_outside_a_terminal() -> None:
    assert "\x1b" not in printed(every_status())


def test_colour_is_never_the_only_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    coloured = printed(every_status(), Terminal())

    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == printed(every_status())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_environment_can_refuse_colours(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert in_colour(Terminal())

    monkeypatch.setenv(name, value)

    assert not in_colour(Terminal())


def test_an_empty_no_color_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")

    assert in_colour(Terminal())


def test_every_status_has_a_colour() -> None:
    assert set(console._COLOURS) == set(STATUSES)


def test_progress_is_drawn_over_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 5.0, 65.0])
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(console.time, "monotonic", lambda: next(now))
    terminal = Terminal()

    with Progress(terminal) as progress:
        progress(check_record(), 5, 20)
        progress(check_record("deviates"), 10, 20)

    first, second, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first == f"[#####---------------] 5/20  0:05  {check_record().id}"
    assert second == f"[##########----------] 10/20  1:05  {check_record().id}"
    assert last == ""


def test_short_work_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.time, "monotonic", lambda: 0.5)
    terminal = Terminal()

    with Progress(terminal) as progress:
        progress(check_record(), 5, 20)

    assert terminal.getvalue() == ""


def test_progress_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 5.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(now))
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()

    with Progress(terminal) as progress:
        progress(check_record(implementation="lib." * 100), 5, 20)

    assert len(terminal.getvalue().split("\r\x1b[K")[1]) == 39


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["a pipe", "a dumb terminal"])
def test_progress_stays_out_of_pipes(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
    now = iter([0.0, 5.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(now))
    if stream is None:
        monkeypatch.setenv("TERM", "dumb")
        stream = Terminal()

    with Progress(stream) as progress:
        progress(check_record(), 5, 20)

    assert stream.getvalue() == ""
