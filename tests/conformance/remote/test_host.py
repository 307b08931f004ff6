"""What lives in another environment is judged as if it lived here, and that environment needs nothing of ours."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import venv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import UsageError, baseline, check, cli, run, targets
from conformance.backends import Implementation
from conformance.backends.torch import backend
from conformance.errors import LoadError
from conformance.plan import Plan
from conformance.records import CheckRecord
from conformance.remote.host import Interpreter, backend_in, implementation_in
from tests.helpers import abroad

#: One worker runs them: what they share is made once.
pytestmark = pytest.mark.xdist_group("remote_host")

ROOT = Path(__file__).parents[3]
SUBJECTS = "tests.helpers.abroad"

#: What this project needs, and no other environment does; torch brings sympy of its own.
OURS = ("array_api_compat", "flint", "hypothesis", "sympy")


def environment(folder: Path, *packages: Path) -> str:
    """Make a virtual environment of these packages; return its interpreter."""
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in packages:
        (site / package.name).symlink_to(package)
    return str(folder / "bin" / "python")


def has(python: str, *names: str) -> list[str]:
    """Those of some packages that an interpreter finds."""
    source = f"import importlib.util as u; print(*(name for name in {names} if u.find_spec(name)))"
    return subprocess.check_output([python, "-E", "-c", source], text=True).split()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that has numpy and nothing else."""
    packages = Path(np.__file__).parents[1]
    return environment(tmp_path_factory.mktemp("bare"), *packages.glob("numpy"), *packages.glob("numpy.libs"))


@pytest.fixture(scope="module")
def with_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that has torch and what it brings, and nothing of ours."""
    packages = Path(pytest.importorskip("torch").__file__).parents[1]
    ours = re.compile(r".*(array_api_compat|flint|hypothesis|exactstep).*|.*\.pth|oracle|properties|conformance")
    others = [package for package in packages.iterdir() if not ours.fullmatch(package.name)]
    return environment(tmp_path_factory.mktemp("with_torch"), *others)


@pytest.fixture(autouse=True)
def among_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Import from the root of the tree first, here and there."""
    monkeypatch.syspath_prepend(ROOT)


def judged(implementation: Implementation, select: str | None = None, dtype: str = "float64") -> list[CheckRecord]:
    """Records of an implementation, judged from this process, without what differs from run to run."""
    plan = Plan((implementation,), (dtype,), "cpu", "quick", 0, select=select)
    try:
        return [replace(record, seconds=0.0) for record in plan.in_turn(plan.tasks())]
    finally:
        if implementation.host:
            implementation.host.connection.close()


def here_and_there(
    python: str, target: str, formula: str, select: str | None = None
) -> tuple[list[CheckRecord], list[CheckRecord]]:
    """Records of a target, judged in this interpreter and in another."""
    signature = targets.signature(formula, arrays=None, hyperparameters=None)
    interpreter = Interpreter(python, str(ROOT))
    there = judged(implementation_in(interpreter, target, signature), select)
    return judged(targets.adapted(target, signature), select), there


def test_the_environments_have_nothing_of_ours(bare: str, with_torch: str) -> None:
    assert has(bare, *OURS, "torch", "numpy") == ["numpy"]
    assert has(with_torch, *OURS, "torch", "numpy") == ["sympy", "torch", "numpy"]


def test_a_function_of_a_bare_environment_conforms_and_the_report_says_where(bare: str) -> None:
    pytest.importorskip("torch")
    report = check(f"{SUBJECTS}:clip", "clip_by_value", dtypes=["float64"], python=bare)

    assert report.conforms
    assert report.checks[0].reproduce.endswith(f"--seed 0 --python {bare}")
    assert report.environment["numpy"] == f"{np.__version__} of the subject, {np.__version__} of the judge"
    assert " of the subject, " in report.environment["python"]
    assert " of the subject" not in report.environment["hypothesis"]
    assert "torch" not in report.environment  # it takes no part, though it may be imported here


@pytest.mark.parametrize(
    ("name", "formula", "status"),
    [
        ("too_far", "clip_by_value", "deviates"),
        ("says", "clip_by_value", "conforms"),
        ("raises", "clip_by_value", "crash"),
        ("draws", "clip_by_value", "deviates"),
        ("text", "clip_by_value", "crash"),
        ("patient", "gd", "deviates"),
    ],
)
def test_the_records_are_those_of_this_interpreter(bare: str, name: str, formula: str, status: str) -> None:
    here, there = here_and_there(bare, f"{SUBJECTS}:{name}", formula, "any_order or (follows and clip)")

    assert there == here
    assert status in {record.status for record in here}


def test_a_torch_optimizer_has_the_records_of_this_interpreter(with_torch: str) -> None:
    here, there = here_and_there(with_torch, "torch.optim:Adam", "adam", "any_order")

    assert there == here
    assert {record.status for record in here} == {"conforms"}
    assert {"pickled", "resumed", "step_closure"} <= {*there[-1].exercised}


def test_a_known_deviation_shows_in_the_inputs_that_the_other_side_says(bare: str) -> None:
    report, here = (run(f"{SUBJECTS}:BACKEND", select="follows", dtypes=["float64"], python=at) for at in (bare, None))

    (record,), (same,) = report.checks, here.checks
    assert (record.status, record.cases) == ("expected-deviation", same.cases)
    assert report.environment["climate"] == "mild"
    assert record.reproduce.endswith(f"--python {bare}")


def test_what_an_optimizer_saves_there_is_loaded_back_there(bare: str) -> None:
    report = check(f"{SUBJECTS}:descent", "gd", dtypes=["float64"], python=bare)

    assert report.conforms
    assert {"rewinding_changes_nothing", "copying_changes_nothing"} <= {
        record.property for record in report.checks if record.status == "conforms"
    }


def test_what_is_declared_there_is_known_here(bare: str) -> None:
    (entry,) = backend_in(Interpreter(bare, str(ROOT)), f"{SUBJECTS}:HELD").implementations

    assert entry.kept == {"momentum": 0.5}
    assert entry.offers == ("step_closure", "copied", "saved", "rewound")


@pytest.mark.parametrize(
    ("when", "status"),
    [
        ("", "expected-deviation"),
        ("numpy>=1", "expected-deviation"),
        ("numpy<1", "deviates"),
        ("hypothesis>=1", "deviates"),  # of the judge alone
        ("numpy; python_version < '3'", "deviates"),
    ],
)
def test_a_baseline_is_about_the_environment_of_the_subject(bare: str, tmp_path: Path, when: str, status: str) -> None:
    settings: dict[str, Any] = {"dtypes": ["float64"], "python": bare}
    found = check(f"{SUBJECTS}:too_far", "clip_by_value", **settings)
    known = baseline.updated({}, found, "It clips late.").deviations
    path = tmp_path / "known.toml"
    path.write_text(baseline.dumps({key: replace(entry, when=when) for key, entry in known.items()}))

    report = check(f"{SUBJECTS}:too_far", "clip_by_value", baseline=path, **settings)

    assert {record.status for record in found.checks if record.counted} >= {"deviates"}
    assert {record.status for record in report.checks if record.id in {id for id, _ in known}} == {status}
    assert report.checks[0].reproduce.endswith(f"--baseline {path} --python {bare}")


def test_torch_as_a_framework_is_described_there(with_torch: str) -> None:
    torch = pytest.importorskip("torch")
    here, there = backend(), backend_in(Interpreter(with_torch), "conformance.backends.torch:backend")
    bare = [
        replace(entry, factory=None, expected=(), host=None)
        for entry in (*here.implementations, *there.implementations)
    ]

    assert (there.name, there.version) == ("torch", torch.__version__)
    assert bare[: len(here.implementations)] == bare[len(here.implementations) :]
    assert [len(entry.expected) for entry in there.implementations] == [
        len(entry.expected) for entry in here.implementations
    ]


def ended(process: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a subject that holds on to its process says which that is."""
    monkeypatch.setenv("ABROAD", str(tmp_path / "note"))
    return tmp_path / "note"


def test_a_death_there_is_told_in_the_words_of_a_death_here(bare: str, note: Path) -> None:
    limits = {"timeout": 10, "memory": 0.5}

    report = run(f"{SUBJECTS}:MORTALS", select="follows", dtypes=["float64"], python=bare, **limits)

    assert {record.implementation: (record.status, record.message.splitlines()[0]) for record in report.checks} == {
        "holds_on": ("timeout", "no answer within 10 s"),
        "kills": ("crash", "killed by SIGKILL"),
        "segfaults": ("crash", "killed by SIGSEGV"),
        "exits": ("crash", "exited with code 3"),
        "hoards": ("crash", "exceeded 0.5 GiB of memory"),
    }
    assert re.search(r"^  at abroad.py:\d+ in segfaults$", report.checks[2].message, re.MULTILINE)
    assert ended(int(note.read_text()))


def test_what_hangs_there_does_not_outlive_a_command_that_is_killed(bare: str, note: Path) -> None:
    words = ["-m", "conformance", "check", f"{SUBJECTS}:holds_on", "--as", "clip_by_value", "--python", bare]
    command = subprocess.Popen([sys.executable, *words], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not (note.exists() and note.read_text()):
        assert command.poll() is None
        time.sleep(0.1)

    command.kill()
    command.wait()

    assert ended(int(note.read_text()))


@pytest.fixture
def too_old(tmp_path: Path) -> str:
    """An interpreter that says that it is Python 3.8."""
    script = tmp_path / "python3.8"
    script.write_text("#!/bin/sh\necho 3.8\n")
    script.chmod(0o755)
    return str(script)


@pytest.fixture
def without_numpy(tmp_path: Path) -> str:
    """The interpreter of an empty environment."""
    return environment(tmp_path / "empty")


@pytest.mark.parametrize(
    ("python", "target", "complaint"),
    [
        ("/no/such/python", "clip", "cannot start python='/no/such/python': No such file or directory"),
        ("/bin/ls", "clip", "python must be a Python interpreter, got python='/bin/ls': "),
        ("too_old", "clip", "python must be Python 3.11 or newer, got "),
        ("without_numpy", "clip", "python must have numpy in its environment, got "),
        ("bare", "nobody", f"cannot load {SUBJECTS}:nobody: AttributeError: "),
    ],
)
def test_what_cannot_be_loaded_there_is_one_line_and_exit_code_3(
    python: str, target: str, complaint: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    path = python if python.startswith("/") else request.getfixturevalue(python)

    code = cli.main(["check", f"{SUBJECTS}:{target}", "--as", "clip_by_value", "--python", path])

    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (3, 1)
    assert said.startswith(f"exactstep: {complaint}")


def test_what_dies_when_it_is_loaded_there_could_not_be_loaded(bare: str, tmp_path: Path) -> None:
    file = tmp_path / "mortal.py"
    file.write_text("import os\nos._exit(3)\n")

    with pytest.raises(LoadError, match=re.escape(f"cannot load {file}:clip in {bare}: ")):
        check(f"{file}:clip", "clip_by_value", python=bare)


@pytest.mark.parametrize(
    ("target", "settings", "complaint"),
    [
        (abroad.clip, {}, "target must be named by a string where python is given, got target=<function"),
        (f"{SUBJECTS}:clip", {"isolate": False}, "isolate must not be False where python is given"),
        (f"{SUBJECTS}:clip", {"python": ""}, "python must be the path of an interpreter, got python=''"),
        (f"{SUBJECTS}:clip", {"dtypes": ["float8"]}, "dtypes must be a sequence of names"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_started(
    target: Any, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(complaint)):
        check(target, "clip_by_value", **{"python": "/no/such/python", **settings})


def test_a_claim_that_makes_no_sense_there_is_wrong_usage(bare: str) -> None:
    with pytest.raises(UsageError, match="adam is an optimizer: target must be") as raised:
        check(f"{SUBJECTS}:clip", "adam", python=bare)

    assert type(raised.value) is UsageError
