"""Checks as tests: the same records as a run, and what pytest's users expect of tests."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import torch  # noqa: F401 - imported here, it outlives the sessions within this process

import conformance
from conformance import run
from conformance.console import failure_text
from conformance.frameworks import BACKENDS
from conformance.records import STATUSES

ROOT = Path(conformance.__file__).parents[1]

#: The plugin of this tree, whether one is installed or not.
PLUGIN = ("-p", "no:exactstep", "-p", "exactstep_pytest")

CONFIGURATION = """
[pytest]
strict = true
filterwarnings = ["error"]
pythonpath = ["."]
"""

#: Implementations of a formula that end in different ways.
BACKEND = """
from dataclasses import replace

import numpy as np

from conformance.backends import Backend, Expectation
from conformance.targets import implementation
from properties.subject import Rejected

KNOWN = Expectation("value_at_zero", ("float64",), "Zero leaks.", "seen", "1.0")


def honest(x):
    return np.maximum(x, 0)


def leaky(x):
    return np.where(x > 0, x, 0.5 * x)


def biased(x):
    return np.where(x == 0, 1, np.maximum(x, 0))


def raising(x):
    raise OSError("no kernel")


class Restless:
    '''Leaks in its first ten calls.'''

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return leaky(x) if self.calls <= 10 else honest(x)


def refusing(*, dtype, device):
    def function(x):
        raise Rejected("nothing pleases it")

    return function


def refusing_halves(*, dtype, device):
    return refusing(dtype=dtype, device=device) if dtype == "float16" else honest


def clip(grad, clip_value):
    return np.clip(grad, -clip_value, clip_value)


def claiming(function, label, formula="relu", **changes):
    return replace(implementation(function, formula, arrays="numpy"), label=label, dtypes=("float64",), **changes)


def backend():
    return Backend("fake", "1.0", IMPLEMENTATIONS)


IMPLEMENTATIONS = (
    claiming(honest, "honest"),
    claiming(leaky, "leaky"),
    claiming(biased, "biased", expected=(KNOWN,)),
    claiming(honest, "mended", expected=(KNOWN,)),
    claiming(raising, "raising"),
    claiming(Restless(), "restless"),
    claiming(refusing, "refusing"),
)
HONEST = Backend("honest", "1.0", IMPLEMENTATIONS[:1])
TWO = Backend("two", "1.0", IMPLEMENTATIONS[:2])
TWINS = Backend("twins", "1.0", IMPLEMENTATIONS[:1] * 2)
FORMULAS = Backend("formulas", "1.0", (claiming(honest, "honest"), claiming(clip, "clips", formula="clip_by_value")))
HALF = Backend("half", "1.0", (replace(IMPLEMENTATIONS[0], factory=refusing_halves, dtypes=("float64", "float16")),))
"""

ZERO = "relu.value_at_zero@honest[float64,cpu]"
CLAIM = "relu.follows_the_formula@honest[[]float64,cpu[]]"
DTYPES = ("--exactstep-dtype", "float64", "--exactstep-dtype", "float16")
FAST = ("--exactstep-dtype", "float64")


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a backend, and a test that passes."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), str(ROOT)]))
    pytester.makefile(".toml", pytest=CONFIGURATION)
    pytester.makepyfile(fake=BACKEND, test_other="def test_other():\n    pass\n")
    return pytester


@pytest.fixture
def pytest_in(folder: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Runs pytest with the plugin in that folder, in this process."""
    return partial(folder.runpytest_inprocess, *PLUGIN)


def test_the_records_are_those_of_a_run(folder, monkeypatch):
    folder.syspathinsert()
    session = folder.inline_run(*PLUGIN, "--exactstep", "fake:backend", "--exactstep-seed", "3", *DTYPES)
    reports = {
        report.nodeid.split("::")[-1]: report
        for report in session.getreports("pytest_runtest_logreport")
        if report.when == "call"
    }

    checks = run("fake:backend", seed=3, dtypes=DTYPES[1::2]).checks

    assert list(reports) == [record.id for record in checks]
    assert {record.status for record in checks} == set(STATUSES) - {"harness-error", "timeout"}
    for record in checks:
        report = reports[record.id]
        if record.status == "conforms":
            assert report.passed
            assert not hasattr(report, "wasxfail")
        elif not record.counted:
            assert report.skipped
            assert report.longrepr[2] == f"Skipped: {record.status}: {record.message}"
        elif record.status == "expected-deviation":
            assert report.skipped
            assert report.wasxfail.removeprefix("reason: ") == record.message
        else:
            assert report.failed
            assert report.longreprtext == failure_text(record)


def test_a_deviation_fails_with_the_words_of_the_console_and_no_traceback(pytest_in):
    result = pytest_in("--exactstep", "fake:backend", "-k", "leaky and reflection", *FAST)

    result.assert_outcomes(failed=1, deselected=41)
    result.stdout.re_match_lines(
        [
            r"_+ relu\.reflection@leaky\[float64,cpu\] of fake:backend _+",
            r"✖ deviates  reflection  \[float64, cpu\]",
            r"    where      result, element 0",
            r"    allowed    .*",
            r"    came       .*",
            r"    off by     .*",
            r"    input      x = .*",
            r"    diagnosis  .*",
            r"    rerun      exactstep run fake:backend -k 'relu\.reflection@leaky\[float64,cpu\]' --dtype float64 .*",
            r"=+ short test summary info =+",
        ]
    )
    result.stdout.no_fnmatch_line("*.py:*")


def test_a_known_deviation_is_an_xfail_unless_those_are_to_be_run(pytest_in):
    arguments = ("--exactstep", "fake:backend", "-k", "biased and value_at_zero", *FAST)

    pytest_in(*arguments).assert_outcomes(xfailed=1, deselected=41)
    pytest_in(*arguments, "--runxfail").assert_outcomes(failed=1, deselected=41)


def test_a_known_deviation_that_is_gone_fails(pytest_in):
    result = pytest_in("--exactstep", "fake:backend", "-k", "mended and value_at_zero", *FAST)

    result.assert_outcomes(failed=1, deselected=41)
    result.stdout.fnmatch_lines(["*expected to deviate, and does not: Zero leaks. (seen)"])


def test_an_error_of_ours_fails_and_says_so(pytest_in, monkeypatch):
    monkeypatch.setattr("conformance.engine.diagnose", lambda *_: 1 / 0)

    result = pytest_in("--exactstep", "fake:TWO", "-k", "leaky and reflection", *FAST)

    result.assert_outcomes(failed=1, deselected=11)
    result.stdout.fnmatch_lines(["⚠ harness-error  reflection*", "    ZeroDivisionError: division by zero"])


def test_what_is_unsupported_is_skipped_and_says_what_is_missing(pytest_in):
    result = pytest_in("--exactstep", "fake:HONEST", "--exactstep-dtype", "float16", "-rs")

    result.assert_outcomes(skipped=6)
    result.stdout.fnmatch_lines(["SKIPPED [[]6[]] * unsupported: honest declares float64 on cpu"])


@pytest.mark.parametrize("arguments", [(), ("test_other.py",)])
def test_a_run_that_shows_nothing_is_no_success(pytest_in, arguments):
    result = pytest_in("--exactstep", "fake:HONEST", "--exactstep-dtype", "float16", *arguments)

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["exactstep: nothing was shown, for every check was skipped (-rs says why)"])


def test_a_known_deviation_and_other_tests_that_skip_do_not_spoil_a_success(pytest_in, folder):
    folder.makepyfile(test_skips="import pytest\n@pytest.mark.skip(reason='')\ndef test_skips():\n    pass\n")
    check = "biased and value_at_zero and float64 or skips"

    result = pytest_in("--exactstep", "fake:backend", "test_skips.py", "-k", check)

    assert result.ret == 0
    result.stdout.no_fnmatch_line("*nothing was shown*")


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [((), "skipped"), (("-k", "float16"), "skipped"), (("--exactstep-dtype", "float16"), "failed")],
)
def test_a_mistrusted_half_type_is_excused_by_a_wider_one_of_the_run_selected_or_not(pytest_in, arguments, outcome):
    result = pytest_in("--exactstep", "fake:HALF", "-rs", *arguments)

    assert result.parseoutcomes()[outcome] >= 1
    result.stdout.fnmatch_lines(["*refused the hyperparameters of all 2 cases*"])


def test_a_selected_check_is_run_alone(pytest_in):
    result = pytest_in("--exactstep", "fake:backend", f"exactstep::fake:backend::relu::{ZERO}", "-v")

    result.assert_outcomes(passed=1)
    assert f"exactstep::fake:backend::relu::{ZERO} PASSED" in str(result.stdout)


@pytest.mark.parametrize("name", ["exactstep::fake:HONEST::nothing", "exactstep::torch"])
def test_a_selected_check_that_there_is_not_is_named(pytest_in, name):
    result = pytest_in("--exactstep", "fake:HONEST", name)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: not found: {name}"])


def test_without_paths_the_checks_alone_are_collected_and_with_paths_both(pytest_in):
    checks = ("--exactstep", "fake:HONEST", *FAST)

    pytest_in(*checks).assert_outcomes(passed=6)
    pytest_in(*checks, "test_other.py").assert_outcomes(passed=7)
    pytest_in(*checks, "test_other.py", f"exactstep::fake:HONEST::relu::{ZERO}").assert_outcomes(passed=2)
    pytest_in(*checks, "test_other.py", "-k", "not exactstep").assert_outcomes(passed=1, deselected=6)


def test_several_backends_may_be_judged_each_once(pytest_in):
    result = pytest_in(*("--exactstep", "fake:HONEST") * 2, "--exactstep", "fake:HALF", *FAST)

    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["exactstep: fake:HONEST, fake:HALF, profile quick, seed 0"])


def test_the_checks_are_listed(pytest_in):
    result = pytest_in("--exactstep", "fake:HONEST", *FAST, "--collect-only", "-q")

    result.stdout.fnmatch_lines([f"exactstep::fake:HONEST::relu::{ZERO}", "6 tests collected*"])


def test_a_run_ends_at_the_first_failure_if_asked(pytest_in):
    pytest_in("--exactstep", "fake:backend", *FAST, "-x").assert_outcomes(passed=6, failed=1)


def test_the_last_failures_are_run_again_alone_or_first(pytest_in):
    checks = ("--exactstep", "fake:TWO", *FAST)
    failed = pytest_in(*checks).parseoutcomes()["failed"]

    alone, first = pytest_in(*checks, "--lf"), pytest_in(*checks, "--ff", "-v")

    alone.assert_outcomes(failed=failed, deselected=12 - failed)
    ends = [line for line in first.outlines if line.startswith("exactstep::")]
    assert all(" FAILED " in line for line in ends[:failed])
    assert len(ends) == 12


def test_a_report_of_junit_names_each_check(pytest_in, folder):
    pytest_in("--exactstep", "fake:TWO", *FAST, "--junitxml", "report.xml")

    cases = {case.get("name"): case for case in ET.parse(folder.path / "report.xml").iter("testcase")}
    assert len(cases) == 12
    assert cases[ZERO].get("classname") == "exactstep.fake:TWO.relu"
    assert len(cases[ZERO]) == 0
    (failure,) = cases["relu.reflection@leaky[float64,cpu]"]
    assert failure.text.startswith("✖ deviates  reflection")


def test_statistics_of_hypothesis_and_durations_do_no_harm(pytest_in):
    result = pytest_in("--exactstep", "fake:HONEST", *FAST, "--hypothesis-show-statistics", "--durations=1", "-vv")

    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*Hypothesis Statistics*", "*slowest 1 durations*"])


def test_what_the_user_sets_for_hypothesis_changes_no_record(pytest_in):
    arguments = ("--exactstep", "fake:TWO", *FAST, "-k", "leaky and follows")

    ours, theirs = (
        [line for line in pytest_in(*arguments, *seeds).outlines if line.startswith("    ")]
        for seeds in ((), ("--hypothesis-seed=5", "--hypothesis-profile=ci"))
    )

    assert ours == theirs
    assert ours


def test_fixtures_for_all_tests_are_for_checks_too(pytest_in, folder):
    folder.makeconftest("import pytest\n@pytest.fixture(autouse=True)\ndef noisy():\n    print('before')\n")

    result = pytest_in("--exactstep", "fake:HONEST", *FAST, "-s", "-k", "value_at_zero")

    result.assert_outcomes(passed=1, deselected=5)
    result.stdout.fnmatch_lines(["*before*"])


def test_processes_share_the_checks_by_formula(folder):
    arguments = (*PLUGIN, "--exactstep", "fake:FORMULAS", *DTYPES)
    alone = folder.runpytest_inprocess(*arguments).parseoutcomes()

    result = folder.runpytest_subprocess(*arguments, "-n", "2", "--dist", "loadscope", "-v")

    shared = result.parseoutcomes()
    assert {name: shared[name] for name in alone} == alone
    ends = re.findall(r"\[(gw\d)\] \[...%\] \w+ exactstep::fake:FORMULAS::(\w+)::", str(result.stdout))
    assert len(ends) == sum(alone.values())
    assert len(set(ends)) == len({formula for _, formula in ends}) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--exactstep-profile", "slow"), "profile must be among quick, standard, thorough, got profile='slow'"),
        (("--exactstep-seed", "-1"), "seed must be an integer of at least 0, got seed=-1"),
        (("--exactstep-dtype", "float8"), "dtypes must be a sequence of names among *"),
        (("--exactstep-device", "CPU!"), "device must be a name such as cpu or cuda:1, got device='CPU!'"),
    ],
)
def test_wrong_settings_are_wrong_usage(pytest_in, arguments, message):
    result = pytest_in("--exactstep", "fake:HONEST", *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("tensorflaw", f"backend must be 'module:object' or among {', '.join(BACKENDS)}, got backend='tensorflaw'"),
        ("missing:backend", "*No module named 'missing'*"),
        ("fake:TWINS", f"labels of a formula's implementations must differ, got two checks {CLAIM}"),
    ],
)
def test_a_backend_that_cannot_be_judged_is_an_error_of_collection(pytest_in, backend, message):
    result = pytest_in("--exactstep", backend, *FAST)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message, f"ERROR exactstep::{backend}*"])


def test_torch_is_judged(pytest_in):
    result = pytest_in("--exactstep", "torch", "-k", "relu and float64 and not vjp", *FAST)

    assert result.ret == 0
    assert set(result.parseoutcomes()) == {"passed", "deselected"}


def test_a_failing_assertion_shows_the_line_of_the_test_and_the_summary_alone(pytest_in, folder):
    folder.makepyfile(
        test_mine="""
            import pytest
            from conformance import assert_conforms
            from fake import honest, leaky

            @pytest.mark.parametrize("function", [honest, leaky])
            def test_my_relu(function):
                assert_conforms(function, "relu", arrays="numpy", dtypes=["float64"])
        """
    )

    result = pytest_in("test_mine.py")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       assert_conforms(function, *",
            "E       AssertionError: fake.leaky  as relu",
            "E * deviates  follows_the_formula *",
            "E * rerun *",
            "test_mine.py:7: AssertionError",
        ]
    )
    result.stdout.no_fnmatch_line("*api.py*")


def test_an_installed_plugin_takes_no_name_that_is_the_users(folder):
    names = ("conformance", "oracle", "properties")
    folder.makepyfile(
        **dict.fromkeys(names, "MINE = True"),
        test_mine=f"""
            import sys

            def test_mine():
                import {", ".join(names)}

                assert all((conformance.MINE, oracle.MINE, properties.MINE))
                assert "numpy" not in sys.modules
        """,
    )

    folder.runpytest_subprocess(*PLUGIN, "-p", "no:hypothesispytest", "test_mine.py").assert_outcomes(passed=1)


def test_a_module_of_the_users_that_stands_in_the_way_is_named_in_one_line(folder):
    folder.makepyfile(oracle="", conftest="import oracle\n")

    result = folder.runpytest_subprocess(*PLUGIN, "--exactstep", "fake:HONEST")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: exactstep's package 'oracle' must lie in *oracle.py was imported before"])


def test_it_can_be_switched_off(folder):
    result = folder.runpytest_inprocess("-p", "no:exactstep", "--exactstep", "fake:HONEST")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --exactstep*"])


def test_the_distribution_names_the_plugin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    ((name, module),) = project["project"]["entry-points"]["pytest11"].items()

    assert name == "exactstep"
    assert module in project["tool"]["setuptools"]["py-modules"]
    assert (ROOT / f"{module}.py").is_file()


PINNED = """
version = 1

[deviations."relu.follows_the_formula@leaky[float64,cpu]".deviates]
reason = "It leaks."
quantity = "result"
inputs.call = '{"arrays": [["-0x1.0p+0"]], "hyperparameters": {}}'
"""


@pytest.mark.parametrize(
    ("known", "outcomes"),
    [(PINNED, {"xfailed": 1, "passed": 1}), (PINNED.replace("leaky", "honest"), {"failed": 2}), ("", {"errors": 1})],
)
def test_what_a_baseline_pins_is_a_strict_xfail(pytest_in, folder, known, outcomes):
    folder.makefile(".toml", known=known)
    result = pytest_in(
        "--exactstep", "fake:TWO", *FAST, "--exactstep-baseline", "known.toml", "-k", "follows_the_formula"
    )

    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(["exactstep: fake:TWO, profile quick, seed 0, baseline known.toml"])


def test_a_baseline_that_is_not_there_is_no_success(pytest_in):
    result = pytest_in("--exactstep", "fake:TWO", "--exactstep-baseline", "nowhere.toml")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*nowhere.toml*"])
