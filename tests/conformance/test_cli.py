"""The command: what it accepts, what it prints, and what it exits with."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance import api, cli, frameworks, jsonlines
from conformance.errors import LoadError, UsageError
from conformance.forms import FORMS
from conformance.records import STATUSES
from conformance.report import Report, exit_code
from oracle.catalogue import FORMULAS
from oracle.errors import DomainError
from properties.catalogue import CLAIMS
from tests.helpers.reports import check_record, deviation, report_of

HONEST = """
import torch


class Descent(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    param -= group["lr"] * SCALE * param.grad
"""


@pytest.fixture
def optimizers(tmp_path: Path) -> Path:
    """A folder with an honest optimizer and one that doubles its steps."""
    (tmp_path / "honest.py").write_text(HONEST.replace("SCALE", "1"))
    (tmp_path / "hasty.py").write_text(HONEST.replace("SCALE", "2"))
    return tmp_path


def ends(monkeypatch: pytest.MonkeyPatch, outcome: Report | BaseException, *arguments: str) -> int:
    """The exit code of a run that ends in a given way."""

    def run(*_: Any, **__: Any) -> Report:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(api, "run", run)
    return cli.main(["run", "torch", *arguments])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("conforms", 0),
        ("expected-deviation", 0),
        ("deviates", 1),
        ("crash", 1),
        ("timeout", 1),
        ("flaky", 1),
        ("unexpected-pass", 1),
        ("mistrusted", 4),
        ("unsupported", 4),
        ("harness-error", 5),
    ],
)
def test_the_exit_code_says_the_status(monkeypatch: pytest.MonkeyPatch, status: str, code: int) -> None:
    assert ends(monkeypatch, report_of(check_record(status))) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("profile must be quick"), 2),
        (DomainError("beta1 must be in [0, 1], got beta1=2.0"), 2),
        (LoadError("no module named 'nothing'"), 3),
        (RuntimeError("a fault of ours"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_ends_in_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert ends(monkeypatch, error) == code

    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    assert out == ""
    assert last.startswith("exactstep: ")
    assert str(error) in last
    assert (code == 5) == (len(err.splitlines()) > 1)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["run"], "BACKEND"),
        (["run", "no_such_backend"], "no_such_backend"),
        (["run", "torch", "--profile", "fast"], "fast"),
        (["run", "torch", "--dtype", "float8"], "float8"),
        (["run", "torch", "--seed", "x"], "x"),
        (["run", "torch", "--jobs", "0"], "0"),
        (["run", "torch", "-k", "no_such_check"], "no_such_check"),
        (["run", "torch", "-k", "adam and"], "adam and"),
        (["run", "torch", "--timeout", "soon"], "soon"),
        (["run", "torch", "--timeout", "-1"], "timeout=-1.0"),
        (["run", "torch", "--memory", "0"], "memory=0.0"),
        (["run", "torch", "--no-isolate", "--jobs", "2"], "jobs=2"),
        (["run", "torch", "--no-isolate", "--memory", "2"], "memory=2.0"),
        (["run", "torch", "--resume"], "resume needs an output"),
        (["run", "torch", "other:backend", "--resume"], "torch, other:backend"),
        (["check", "torch.optim:Adam", "--timeout", "3"], "--timeout, --memory and --python need --as"),
        (["run", "torch", "--prof", "quick"], "--prof"),
        (["check", "torch.optim:Adam", "--dtype", "float32"], "--as"),
        (["check", "torch.optim:Adam", "--as", "adamm"], "adam, "),
        (["check", "torch.optim:Adam", "--as", "adam", "--set", "beta1"], "NAME=NUMBER"),
        (["check", "torch.optim:Adam", "--as", "adam", "--set", "=1"], "NAME=NUMBER"),
        (["check", "torch.optim:Adam", "--as", "adam", "--path", "no_such_folder"], "no_such_folder"),
        (["check", "torch.optim:Adam", "--as", "adam", "--set", "gamma=1"], "gamma"),
        (["check", "torch.optim:Adam", "--as", "adam", "--set", "beta1=2"], "beta1"),
        (["list", "animals"], "animals"),
        (["report", "nowhere.jsonl", "--format", "html"], "nowhere.jsonl"),
        (["report", "nowhere.jsonl", "--format", "pdf"], "pdf"),
    ],
)
def test_wrong_usage_takes_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    code = cli.main(arguments)

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert named in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "no_such_module:backend"],
        ["check", "no_such_module:Adam", "--as", "adam"],
        ["check", "torch.optim:NoSuchAdam", "--as", "adam"],
        ["check", "nowhere/optim.py:Adam", "--as", "adam"],
    ],
)
def test_what_cannot_be_loaded_takes_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code = cli.main(arguments)

    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert code == 3


@pytest.mark.parametrize("ending", ["import sys; sys.exit(7)", "raise RuntimeError('one\\ntwo')"])
def test_a_target_that_ends_on_import_takes_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    (tmp_path / "ends.py").write_text(f"print('hello')\n{ending}\n")

    code = cli.main(["check", f"{tmp_path / 'ends.py'}:Adam", "--as", "adam"])

    out, err = capsys.readouterr()
    assert (code, out) == (3, "")
    hello, line = err.splitlines()
    assert hello == "hello"
    assert line.startswith(f"exactstep: cannot load {tmp_path / 'ends.py'}:Adam: ")


@pytest.mark.parametrize("text", ["3\n", "{}\n", '{"format": "exactstep-report"}\n', "\udcff\n"])
@pytest.mark.parametrize("first", [False, True], ids=["alone", "after the header"])
def test_a_broken_report_takes_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, first: bool
) -> None:
    file = tmp_path / "report.jsonl"
    header = jsonlines.dumps(report_of()).splitlines(keepends=True)[0] if first else ""
    file.write_bytes((header + text).encode(errors="surrogateescape"))

    code = cli.main(["report", str(file), "--format", "badge"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert f"{file} is no report" in err


def test_formulas_are_listed_with_their_hyperparameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "formulas"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [formula.id for formula in FORMULAS]
    assert "learning_rate, beta1, beta2, eps" in next(line for line in lines if line.startswith("adam "))


def test_properties_are_listed_with_their_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "properties"]) == 0

    out = capsys.readouterr().out
    assert len(out.splitlines()) == sum(len(claim.formulas) for claim in CLAIMS)
    assert all(claim.sentence in out for claim in CLAIMS)


def test_backends_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "backends"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(frameworks.BACKENDS)
    assert {"jax", "keras", "lion-pytorch", "optax", "torch"} <= set(listed)


def test_an_honest_optimizer_conforms(optimizers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["check", "honest:Descent", "--as", "gd", "--path", str(optimizers), "--dtype", "float64"])

    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith("✓ conforms")
    assert "seed 0" in out


def test_a_hasty_optimizer_deviates_and_its_line_shows_it_again(
    optimizers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"{optimizers / 'hasty.py'}:Descent"
    code = cli.main(["check", target, "--as", "gd", "--dtype", "float64", "--seed", "3"])

    out = capsys.readouterr().out
    assert code == 1
    assert "seed 3" in out
    rerun = next(line for line in out.splitlines() if line.lstrip().startswith("rerun"))
    again = cli.main(shlex.split(rerun)[2:])
    assert again == 1
    assert "✖ deviates  follows_the_formula" in capsys.readouterr().out


def test_the_line_to_run_again_finds_the_folder(optimizers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["check", "hasty:Descent", "--as", "gd", "--dtype", "float64", "--path", str(optimizers)])

    rerun = next(line for line in capsys.readouterr().out.splitlines() if line.lstrip().startswith("rerun"))
    assert shlex.split(rerun)[-2:] == ["--path", str(optimizers)]
    assert cli.main(shlex.split(rerun)[2:]) == 1


def test_an_output_that_is_no_place_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setattr(api, "check", lambda *_, **__: pytest.fail("worked"))

    code = cli.main(["check", "honest:Descent", "--as", "gd", "--output", str(tmp_path / "taken")])

    assert code == 2
    assert "taken" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_costs_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.jsonl").mkdir()
    monkeypatch.setattr(api, "check", lambda *_, **__: report_of(check_record()))

    code = cli.main(["check", "honest:Descent", "--as", "gd", "--output", str(tmp_path)])

    out, err = capsys.readouterr()
    assert code == 2
    assert out.startswith("✓ conforms")
    assert err == f"exactstep: {tmp_path / 'report.jsonl'}: Is a directory\n"


def test_the_command_leaves_the_import_path_as_it_was(optimizers: Path) -> None:
    before = list(sys.path)

    cli.main(["check", "honest:Descent", "--as", "gd", "--path", str(optimizers), "--dtype", "float64"])

    assert sys.path == before


def test_a_run_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "report"
    code = cli.main(["run", "torch", "-k", "clip_by_value", "--dtype", "float64", "--output", str(output)])

    assert code == 0
    assert sorted(path.name for path in output.iterdir()) == ["report.html", "report.jsonl"]
    assert str(output / "report.html") in capsys.readouterr().out


def test_several_backends_make_one_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def run(backend: str, *, output: Path | None, **_: Any) -> Report:
        asked.append((backend, output))
        return report_of(check_record(implementation=f"{backend}.Adam"), target=backend, environment={backend: "1"})

    monkeypatch.setattr(api, "run", run)
    output = tmp_path / "both.jsonl"

    assert cli.main(["run", "torch", "other:backend", "torch", "--output", str(output)]) == 0

    written = jsonlines.read(output)
    assert asked == [("torch", None), ("other:backend", None)]
    assert written.target == "torch, other:backend"
    assert [record.implementation for record in written.checks] == ["torch.Adam", "other:backend.Adam"]
    assert written.environment == {"torch": "1", "other:backend": "1"}


def test_arguments_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def run(backend: str, **arguments: Any) -> Report:
        given.update(arguments, backend=backend)
        return report_of(check_record())

    monkeypatch.setattr(api, "run", run)
    line = (
        "run torch -k adam --dtype float32 float16 --dtype float64 --device cuda:1 --profile standard --seed 9 --jobs 3 "
        "--resume --no-isolate --timeout 60 --memory 2.5 --python /other/venv/bin/python"
    )
    cli.main(line.split())

    assert given.pop("progress") is not None
    assert given == {
        "backend": "torch",
        "select": "adam",
        "dtypes": ["float32", "float16", "float64"],
        "device": "cuda:1",
        "profile": "standard",
        "seed": 9,
        "jobs": 3,
        "output": None,
        "resume": True,
        "isolate": False,
        "timeout": 60.0,
        "memory": 2.5,
        "baseline": None,
        "python": "/other/venv/bin/python",
    }


@pytest.mark.parametrize("form", ["html", "markdown", "junit", "badge"])
def test_a_report_is_shown_in_another_form(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    file = tmp_path / "report.jsonl"
    report_of(deviation()).write(file)

    assert cli.main(["report", str(file), "--format", form]) == 0

    assert capsys.readouterr().out == FORMS[form](report_of(deviation()))


def test_a_report_is_written_in_another_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, page = tmp_path / "report.jsonl", tmp_path / "page.md"
    report_of(deviation()).write(file)

    assert cli.main(["report", str(file), "--format", "markdown", "--output", str(page)]) == 0

    assert capsys.readouterr().out == ""
    assert page.read_text(encoding="utf-8") == FORMS["markdown"](report_of(deviation()))


def command(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from conformance.cli import main; sys.exit(main())", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1]), "PYTHONSAFEPATH": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_of_the_same_name_does_not_take_our_place(optimizers: Path) -> None:
    for package in ("oracle", "properties", "conformance"):
        (optimizers / package).mkdir()
        (optimizers / package / "__init__.py").write_text("raise SystemExit(99)\n")

    done = command("check", "honest:Descent", "--as", "gd", "--dtype", "float64", cwd=optimizers)

    assert done.stderr == ""
    assert done.returncode == 0


def test_an_old_terminal_gets_what_it_can_show(tmp_path: Path) -> None:
    report_of(check_record()).write(tmp_path / "report.jsonl")

    done = command("report", "report.jsonl", "--format", "markdown", cwd=tmp_path, PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert done.stdout.startswith("## torch 2.13.0: ? conforms\n")


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    code = "import sys; from conformance.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "list", "properties"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 141
    assert err == b""


def test_the_statuses_of_the_exit_codes_are_all_there_are() -> None:
    assert {exit_code(report_of(check_record(status))) for status in STATUSES} == {0, 1, 4, 5}


def test_a_checkout_runs_without_an_installation():
    program = (
        "import importlib.metadata as metadata\n"
        "real = metadata.version\n"
        "def version(name):\n"
        "    if name == 'exactstep':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.version = version\n"
        "from conformance.cli import main\n"
        "main(['run', 'torch', '--jobs', '1', '-k', 'value_at_most and loop', '--dtype', 'float64'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True, cwd=Path(__file__).parents[2]
    )

    assert "PackageNotFoundError" not in done.stderr
    assert "conforms" in done.stdout
