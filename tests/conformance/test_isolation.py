"""Subjects that crash, exit, hang and hoard cost their own checks, and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance import UsageError, check, isolation, run
from conformance.errors import LoadError
from conformance.jsonlines import read
from conformance.plan import Plan
from conformance.records import CheckRecord
from conformance.report import Report, exit_code
from tests.helpers import vices

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("isolation")

ROOT = Path(isolation.__file__).parents[1]

#: What each vice is worth: the status of its check, and what the message begins with.
DESERTS = {
    "reads address 0": ("crash", "killed by SIGSEGV"),
    "aborts": ("crash", "killed by SIGABRT"),
    "exits at once": ("crash", "exited with code 0"),
    "exits at once with 3": ("crash", "exited with code 3"),
    "kills itself": ("crash", "killed by SIGKILL"),
    "aborts while its mistake is made small": ("crash", "killed by SIGABRT"),
    "interrupts": ("crash", "KeyboardInterrupt: "),
    "sleeps": ("timeout", "no answer within 10 s"),
    "holds the interpreter": ("timeout", "no answer within 10 s"),
    "hoards": ("crash", "exceeded 0.5 GiB of memory"),
    "leaves a thread": ("conforms", ""),
    "writes from C": ("conforms", ""),
    "closes everything": ("conforms", ""),
    "raises": ("crash", "ValueError: no"),
    "exits": ("crash", "SystemExit: 0"),
    "leaves a generator": ("crash", "GeneratorExit: "),
    "has no memory": ("crash", "MemoryError: "),
    "prints": ("conforms", "printed 'clipping' and 48 more lines"),
    "closes stdout": ("conforms", ""),
    "writes to its input": ("deviates", "result, element 0, is 1.0, but"),
    "keeps state": ("deviates", "result, element 0, is 1.0, but"),
    "seeds": ("conforms", ""),
    "takes signals": ("conforms", ""),
    "leaves its folder": ("conforms", ""),
    "wrong dtype": ("deviates", "result, element 0, is 0.0, but"),
    "text": ("crash", "TypeError: the result holds"),
    "wrong shape": ("deviates", "result has shape (2,), expected (1,)"),
    "nothing": ("deviates", "result has shape (), expected (1,)"),
    "no number": ("deviates", "result, element 0, is nan, but"),
    "computes in float32": ("deviates", "result, element 0, is 0.10000000149011612, but"),
}


def command(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "conformance", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, str, str]:
    """The report on every vice, and what the command printed to its output and to its errors."""
    file = tmp_path_factory.mktemp("vices") / "report.jsonl"
    options = ["-k", "follows", "--dtype", "float64", "--timeout", "10", "--memory", "0.5", "--jobs", "1"]
    out, err = command("run", "tests.helpers.vices:BACKEND", *options, "--output", file).communicate()
    return read(file), out, err


def record_of(report: Report, label: str) -> CheckRecord:
    """The only record of an implementation."""
    (record,) = (record for record in report.checks if record.implementation == label)
    return record


def test_every_vice_has_its_desert() -> None:
    assert set(DESERTS) == set(vices.LETHAL) | set(vices.MILD)


@pytest.mark.parametrize("vice", DESERTS)
def test_a_vice_gets_what_it_deserves(judged: tuple[Report, str, str], vice: str) -> None:
    status, message = DESERTS[vice]
    record = record_of(judged[0], vice)

    assert (record.status, record.counted) == (status, True)
    assert record.message.startswith(message)
    assert bool(record.message) == bool(message)


@pytest.mark.parametrize("vice", DESERTS)
def test_who_comes_after_a_vice_is_judged_as_ever(judged: tuple[Report, str, str], vice: str) -> None:
    assert record_of(judged[0], f"honest after {vice}").status == "conforms"


def test_a_run_with_every_vice_comes_to_its_end(judged: tuple[Report, str, str]) -> None:
    report, out, _ = judged

    assert report.complete
    assert len(report.checks) == 2 * len(DESERTS)
    assert "✖ crash  follows_the_formula  [float64, cpu]\n      killed by SIGSEGV\n        at " in out


@pytest.mark.parametrize("vice", ["reads address 0", "aborts"])
def test_a_signal_says_where_it_struck(judged: tuple[Report, str, str], vice: str) -> None:
    _, *frames = record_of(judged[0], vice).message.splitlines()

    assert len(frames) == 6
    assert all(re.fullmatch(r"  at \w+\.py:\d+ in \S+", frame) for frame in frames)
    assert any(frame.startswith("  at vices.py:") for frame in frames[-2:])


def test_what_c_code_prints_goes_to_the_errors_and_into_no_report(judged: tuple[Report, str, str]) -> None:
    _, out, err = judged

    assert "from C" not in out
    assert err.splitlines() == ["from C to output", "from C to errors"]


def test_what_a_guarded_process_survives_is_judged_there_as_in_one_of_its_own(
    judged: tuple[Report, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vices, "CALLS", [])  # what was called before in this process is not remembered in another
    here = run(vices.SURVIVABLE, select="follows", dtypes=["float64"])

    apart = [record for record in judged[0].checks if record.implementation.removeprefix("honest after ") in vices.MILD]
    assert [record.message for record in here.checks] == [record.message for record in apart]
    assert [record.status for record in here.checks] == [record.status for record in apart]


SETTINGS = {"dtypes": ["float64", "float16"], "seed": 3}


@pytest.fixture(scope="module")
def undisturbed() -> Report:
    """The checks of the honest backend, judged in this process."""
    return run("tests.helpers.vices:HONEST", **SETTINGS, isolate=False)


@pytest.mark.parametrize("jobs", [1, 3])
def test_isolation_and_jobs_change_no_record(undisturbed: Report, jobs: int) -> None:
    assert run("tests.helpers.vices:HONEST", **SETTINGS, isolate=True, jobs=jobs) == undisturbed
    assert len(undisturbed.checks) > 50


def test_a_target_named_by_a_string_is_judged_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    report = check("tests.helpers.vices:honest", "clip_by_value", dtypes=["float64"])

    assert report.conforms
    monkeypatch.setattr(isolation, "_Worker", None)  # objects stay here, and so does what is told to
    for target, how in ((vices.honest, {}), ("tests.helpers.vices:honest", {"isolate": False})):
        assert check(target, "clip_by_value", arrays="numpy", dtypes=["float64"], **how).status == report.status


def test_an_object_is_judged_apart_if_it_can_be_sent() -> None:
    settings = {"dtypes": ["float64"], "arrays": "numpy", "isolate": True}

    assert check(vices.honest, "clip_by_value", **settings).conforms
    with pytest.raises(UsageError, match="isolate must be False and jobs 1, for the target stays in one process"):
        check(lambda grad, clip_value: grad.clip(-clip_value, clip_value), "clip_by_value", **settings)


UNGUARDED = """
from conformance import check

print(check("tests.helpers.vices:honest", "clip_by_value", dtypes=["float64"]).status)
"""


def test_a_script_is_not_run_again_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    (tmp_path / "socket.py").write_text("raise SystemExit('not this one')")  # what the working directory holds
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "-P", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("conforms\n", "")


def test_what_a_file_prints_on_import_is_shown_once(tmp_path: Path) -> None:
    file = tmp_path / "loud.py"
    file.write_text("print('hello')\n\n\ndef clip(grad, clip_value):\n    return grad.clip(-clip_value, clip_value)\n")

    out, err = command("check", f"{file}:clip", "--as", "clip_by_value", "--dtype", "float64").communicate()

    assert out.startswith("✓ conforms")
    assert err == "hello\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeout": 0.0}, "timeout must be a positive number, got timeout=0.0"),
        ({"timeout": float("nan")}, "timeout must be a positive number, got timeout=nan"),
        ({"memory": "2"}, "memory must be a positive number, got memory='2'"),
        ({"isolate": False, "timeout": 1.0}, "timeout must not be given unless isolate is True, got timeout=1.0"),
        ({"isolate": False, "jobs": 2}, "jobs must be 1 where isolate is False, got jobs=2"),
        ({"resume": True}, "resume needs an output with JSON lines, a folder or a .jsonl file, got output=None"),
    ],
)
def test_wrong_limits_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("tests.helpers.vices:HONEST", **settings)  # type: ignore[arg-type]  # that is the point


def test_memory_that_cannot_be_watched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_resident", lambda pid: None)

    with pytest.raises(UsageError, match="memory must not be given on this system"):
        isolation.Limits(memory=1.0)


def no_plan() -> Plan:
    """Find that what was there is gone."""
    raise LookupError("gone")


def dead_on_arrival() -> Plan:
    """End before there is a plan."""
    os._exit(4)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (no_plan, "a worker could not make the plan: LookupError: gone"),
        (dead_on_arrival, "3 workers in a row did not come to judge: exited with code 4"),
    ],
)
def test_workers_that_never_judge_end_the_run(recipe: Callable[[], Plan], message: str) -> None:
    plan = Plan(vices.HONEST.implementations, ("float64",), "cpu", "quick", 0)

    with pytest.raises(LoadError, match=message):
        list(isolation.isolated(recipe, plan.tasks(), jobs=1, limits=isolation.Limits()))
    assert multiprocessing.active_children() == []


class Unsteady:
    """A function that ends its process the first time that it is called anywhere, and is honest from then on."""

    def __init__(self, file: Path, end: Callable[[], object]) -> None:
        self.file, self.end = file, end

    def __call__(self, *, dtype, device):
        def call(grad, *, clip_value):
            if not self.file.exists():
                self.file.touch()
                self.end()
            return vices.honest(grad, clip_value)

        return call


def aborting() -> None:
    """Abort."""
    os.abort()


def killed() -> None:
    """Be killed by somebody."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("end", "statuses"), [(aborting, ["conforms", "flaky"]), (killed, ["conforms"] * 2)])
def test_what_kills_a_process_once_is_flaky_unless_anybody_may_have_done_it(
    tmp_path: Path, end: Callable[[], object], statuses: list[str]
) -> None:
    first, second = vices.HONEST.implementations[:2]
    unsteady = replace(second, factory=Unsteady(tmp_path / "once", end))
    plan = Plan((first, unsteady), ("float64",), "cpu", "quick", 0, select="follows")

    records = list(isolation.isolated(Constantly(plan), plan.tasks(), jobs=1, limits=isolation.Limits()))

    assert [record.status for record in records] == statuses
    if "flaky" in statuses:
        assert records[1].message == "killed by SIGABRT once, and not again in a process of its own"


class Constantly:
    """A recipe for a plan that is there."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __call__(self) -> Plan:
        return self.plan


def test_time_in_which_nobody_looked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(vices.HONEST.implementations, ("float64",), "cpu", "quick", 0, select="a and follows")
    clock = iter(range(0, 10**9, 10**4))  # the machine sleeps for hours between any two looks
    monkeypatch.setattr(isolation, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    records = list(isolation.isolated(Constantly(plan), plan.tasks(), jobs=1, limits=isolation.Limits(timeout=600.0)))

    assert {record.status for record in records} == {"conforms"}


@contextmanager
def killing(rng: random.Random, kills: int, finished: list[CheckRecord]) -> Iterator[list[int]]:
    """Kill workers at random moments meanwhile, but none twice at the same check; the list grows by their ids."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        for _ in range(kills):
            over.wait(rng.uniform(0.0, 1.0))
            for child in multiprocessing.active_children():
                with suppress(ValueError):  # it has ended, and been closed, in the meantime
                    child.kill()
                    killed.append(child.pid or 0)
            count = len(finished)
            while len(finished) == count and not over.wait(0.01):
                pass

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_workers_killed_at_random_moments_cost_nothing(undisturbed: Report, draws: Callable[[int, int], int]) -> None:
    rng, kills = random.Random(0), 0
    while kills < draws(2, 20):
        finished: list[CheckRecord] = []
        with killing(rng, 4, finished) as killed:
            report = run(
                "tests.helpers.vices:HONEST",
                **SETTINGS,
                isolate=True,
                progress=lambda record, *_, finished=finished: finished.append(record),
            )
        kills += len(killed)

        assert report == undisturbed


def wait_for_checks(file: Path, process: subprocess.Popen[str], count: int) -> None:
    """Wait until a file has more checks than so many, or there will be no more."""
    while process.poll() is None and (not file.exists() or len(read(file).checks) <= count):
        time.sleep(0.01)


def run_of_the_honest(file: Path) -> tuple[str | Path, ...]:
    """The command's arguments for what `undisturbed` has."""
    settings = ("--dtype", *SETTINGS["dtypes"], "--seed", "3", "--jobs", "2")
    return ("run", "tests.helpers.vices:HONEST", *settings, "--output", file, "--resume")


def test_a_run_killed_at_random_moments_goes_on_from_there(
    undisturbed: Report, tmp_path: Path, draws: Callable[[int, int], int]
) -> None:
    file = tmp_path / "report.jsonl"
    found: dict[str, float] = {}
    rng = random.Random(0)
    for _ in range(draws(1, 5)):
        process = command(*run_of_the_honest(file))
        wait_for_checks(file, process, len(found))
        time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.communicate()  # which waits for its workers, too: they could still write to its errors
        left = {record.id: record.seconds for record in read(file).checks}
        assert found.items() <= left.items()
        found = left

    process = command(*run_of_the_honest(file))
    process.communicate()

    finished = read(file)
    assert process.returncode == exit_code(undisturbed)
    assert finished.complete
    assert finished.checks == undisturbed.checks
    assert found.items() <= {record.id: record.seconds for record in finished.checks}.items()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes that are started be interrupted, even if this one was started so that it cannot be."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_run_and_its_workers(tmp_path: Path) -> None:
    file = tmp_path / "report.jsonl"
    process = command(*run_of_the_honest(file), start_new_session=True)
    wait_for_checks(file, process, 0)

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does

    _, err = process.communicate()  # which waits until nobody can write any more
    assert (process.returncode, err) == (130, "exactstep: interrupted\n")
    assert not read(file).complete
