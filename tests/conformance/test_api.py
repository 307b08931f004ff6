import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import conformance
from conformance import Report, UsageError, assert_conforms, check, run, targets
from conformance.backends import Backend, Expectation
from conformance.errors import LoadError
from conformance.faults.programs import Bookkeeping, Program
from conformance.frameworks import BACKENDS
from conformance.jsonlines import read
from conformance.reproduction import importable
from oracle.arithmetic.formats import FLOAT32, FLOAT64, Precision
from properties.subject import Rejected
from tests.helpers.judging import HONEST, implementation, rule_from

ROOT = Path(conformance.__file__).parents[1]
ASCENT = rule_from(lambda theta, g, h: theta + h.learning_rate * g)


def clip(grad, clip_value):
    return np.clip(grad, -clip_value, clip_value)


def one_sided(grad, clip_value):
    return np.minimum(grad, clip_value)


class Careless(torch.optim.SGD):
    """Climbs."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.data += group["lr"] * parameter.grad


def a_backend(*implementations):
    return Backend("fake", "1.0", implementations, lambda: {"fake": "1.0"})


TWO = a_backend(
    implementation(HONEST, label="honest", capabilities=("sparse",)),
    implementation(ASCENT, label="climbs", dtypes=("float64",)),
)


@pytest.mark.parametrize(("target", "status"), [(clip, "conforms"), (one_sided, "deviates")])
def test_a_function_is_judged_in_float64_and_float32(target, status):
    report = check(target, "clip_by_value", arrays="numpy")

    assert isinstance(report, Report)
    assert report.status == status
    assert report.conforms is (status == "conforms")
    assert [record.dtype for record in report.checks if record.property == "follows_the_formula"] == [
        "float64",
        "float32",
    ]


def test_an_optimizer_class_is_judged_by_what_it_claims():
    assert check(Careless, "gd", dtypes=["float32"]).status == "deviates"


def test_check_prints_nothing(capfd):
    check(one_sided, "clip_by_value", arrays="numpy", dtypes=["float64"])

    assert capfd.readouterr() == ("", "")


def test_the_same_arguments_give_the_same_report():
    first, again = (check(one_sided, "clip_by_value", arrays="numpy", dtypes=["float64"]) for _ in range(2))

    assert first == again
    assert first.seed == 0
    assert first.profile == "quick"


def test_the_order_of_implementations_makes_no_difference():
    forward = run(TWO, dtypes=["float64"]).checks
    backward = run(a_backend(*reversed(TWO.implementations)), dtypes=["float64"]).checks

    assert sorted(forward, key=lambda record: record.id) == sorted(backward, key=lambda record: record.id)


HOSTILE = """
import json
from hypothesis import Phase, settings
settings.register_profile("own", max_examples=1, deadline=1, derandomize=True, phases=[Phase.explicit])
settings.load_profile("own")
from conformance import check
from conformance.jsonlines import dumps
import torch

def local():
    class Rushed(torch.optim.Adam):
        def step(self):
            super().step()
            super().step()
    return Rushed

report = check(local(), "adam", dtypes=["float64"])
print(json.dumps([{**json.loads(line), "seconds": 0} for line in dumps(report).splitlines()]))
"""


def test_what_surrounds_a_check_makes_no_difference(tmp_path):
    for name in ("oracle", "properties"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')", "utf-8")
    friendly = HOSTILE.replace('settings.load_profile("own")', "")
    surroundings = [("1", ROOT, [], friendly), ("2", tmp_path, ["-W", "error"], HOSTILE)]
    outputs = {
        subprocess.run(
            [sys.executable, *flags, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))},
            capture_output=True,
            check=True,
            text=True,
            cwd=folder,
        ).stdout
        for seed, folder, flags, program in surroundings
    }

    assert len(outputs) == 1
    assert json.loads(outputs.pop())[-1]["status"] == "deviates"


def test_only_the_precision_asked_for_is_accepted():
    report = check(clip, "clip_by_value", arrays="numpy", precision=Precision(FLOAT32, FLOAT32, FLOAT64))

    assert {record.dtype for record in report.checks} == {"float32"}
    assert {record.precision for record in report.checks} == {"compute float32, scalars float64"}


def test_the_environment_names_versions_and_nobodys_machine():
    environment = run(TWO, select="honest", dtypes=["float64"]).environment

    assert {"exactstep", "fake", "hypothesis", "numpy", "platform", "python", "python-flint", "torch"} <= set(
        environment
    )
    text = json.dumps(dict(environment))
    assert "/" not in text
    assert os.uname().nodename not in text


def test_what_is_declared_and_not_run_is_listed():
    report = run(TWO, dtypes=["float64", "float32"])

    assert report.not_judged == {"gd@honest": ("sparse", "bfloat16", "float16")}


def test_what_is_offered_and_no_selected_claim_asks_for_is_listed():
    report = run(TWO, select="honest and (resuming or late_group)", dtypes=["float64"])

    left = report.not_judged["gd@honest"]
    assert {"copied", "pickled", "maximize", "step_closure"} <= {*left}
    assert not {"resumed", "add_group"} & {*left}


def test_undeclared_dtypes_are_listed_and_not_counted():
    report = run(TWO, select="climbs", dtypes=["float32"])

    assert {record.status for record in report.checks} == {"unsupported"}
    assert report.status == "unsupported"


def test_half_types_that_could_not_have_noticed_are_listed_not_counted():
    report = run(a_backend(implementation(HONEST)), select="follows", dtypes=["bfloat16", "float64"])

    wide, narrow = report.checks
    assert (wide.dtype, narrow.dtype) == ("float64", "bfloat16")
    assert wide.status == "conforms"
    assert narrow.counted is (narrow.status == "conforms")
    assert report.conforms


def test_a_half_type_alone_counts():
    (record,) = run(a_backend(implementation(HONEST)), select="follows", dtypes=["float16"]).checks

    assert record.counted


def test_a_half_type_beside_a_known_deviation_need_not_count():
    known = Expectation("follows_the_formula", ("float64", "float32"), "it climbs", "seen", "1.0")
    climbing_when_wide = Program(
        lambda theta, g, h, memory, t: theta, bookkeeping=type("Climbing", (Bookkeeping,), {"apply": _climb_if_wide})
    )

    report = run(a_backend(implementation(climbing_when_wide, expected=(known,))), select="follows")

    assert [record.status for record in report.checks[:2]] == ["expected-deviation"] * 2
    assert [record.counted for record in report.checks[2:]] == [
        record.status == "conforms" for record in report.checks[2:]
    ]
    assert report.status in {"conforms", "expected-deviation"}


def _climb_if_wide(self, tensor, grad, memory, options, step):
    way = 1 if self.arithmetic.form.bits >= FLOAT32.bits else -1
    self.values[tensor] = self.arithmetic.store(self.values[tensor] + way * options.learning_rate * grad)


def test_selected_checks_alone_are_run():
    report = run(TWO, select="honest and not float32 and follows")

    assert [record.id for record in report.checks] == [
        f"gd.follows_the_formula@honest[{dtype},cpu]" for dtype in ("float64", "bfloat16", "float16")
    ]


def test_progress_sees_each_record_and_how_many_are_left():
    seen = []

    report = run(TWO, select="follows", dtypes=["float64"], progress=lambda *now: seen.append(now))

    assert seen == [(report.checks[0], 1, 2), (report.checks[1], 2, 2)]


def test_output_is_written(tmp_path):
    report = run(TWO, select="follows", dtypes=["float64"], output=tmp_path)

    assert read(tmp_path / "report.jsonl") == report
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_an_interrupted_run_leaves_what_it_found(tmp_path):
    def interrupt(record, done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(TWO, select="follows", dtypes=["float64"], output=tmp_path / "a.jsonl", progress=interrupt)

    found = read(tmp_path / "a.jsonl")
    assert len(found.checks) == 2
    assert not found.complete


def test_several_processes_give_the_same_report():
    arguments = {"select": "clip_by_value.follows or sgd_l2.follows and loop", "dtypes": ["float64", "float32"]}

    report = run("torch", **arguments, jobs=2)

    assert report == run("torch", **arguments, isolate=False)
    assert len(report.checks) >= 4


def test_what_cannot_be_sent_to_other_processes_says_so():
    with pytest.raises(UsageError, match="isolate must be False and jobs 1, for the target stays in one process"):
        run(TWO, select="follows", jobs=2)


def test_a_backend_may_be_named_by_an_import_path():
    report = run("tests.conformance.test_api:TWO", select="honest and follows", dtypes=["float64"])

    assert report.target == "fake 1.0"
    assert report.checks[0].reproduce == (
        "exactstep run tests.conformance.test_api:TWO -k 'gd.follows_the_formula@honest[float64,cpu]' "
        "--dtype float64 --device cpu --profile quick --seed 0"
    )


def test_a_built_in_backend_is_named_by_a_word():
    report = run("torch", select="clip_by_value.follows", dtypes=["float64"])

    assert report.status == "conforms"
    assert report.target.startswith("torch ")
    assert report.checks[0].reproduce.startswith("exactstep run torch -k 'clip_by_value.follows_the_formula@torch.")


def test_a_check_is_run_again_by_a_shell_line():
    report = check("torch.optim:SGD", "gd", dtypes=["float32"], seed=3)

    assert {record.reproduce for record in report.checks} == {
        "exactstep check torch.optim:SGD --as gd --dtype float32 --device cpu --profile quick --seed 3"
    }


def test_what_the_command_cannot_say_is_run_again_by_a_line_of_python():
    report = check(clip, "clip_by_value", arrays="numpy", dtypes=["float64"])

    line = report.checks[0].reproduce
    assert line.startswith("check('")
    assert "arrays='numpy'" in line
    again = eval(line, {"check": check})
    assert [record.property for record in again.checks] == [record.property for record in report.checks]
    assert again.status == report.status == "conforms"


def test_only_what_an_import_reaches_is_importable():
    assert importable(torch.optim.Adam) == "torch.optim.adam:Adam"
    assert importable(lambda grad: grad) is None
    assert importable(HONEST) is None
    assert importable(test_only_what_an_import_reaches_is_importable.__class__) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"formula": "adamm"}, "no formula has the id 'adamm'; the nearest are adam, adamw, "),
        ({"profile": "slow"}, "profile must be among quick, standard, thorough, got profile='slow'"),
        ({"seed": -1}, "seed must be an integer of at least 0, got seed=-1"),
        ({"seed": 0.5}, "seed must be an integer of at least 0, got seed=0.5"),
        ({"dtypes": ["float8"]}, r"dtypes must be a sequence of names among .*, got dtypes=\['float8'\]"),
        ({"dtypes": "float32"}, "dtypes must be a sequence of names among .*, got dtypes='float32'"),
        ({"dtypes": []}, "dtypes must be a sequence"),
        ({"device": "CPU!"}, "device must be a name such as cpu or cuda:1, got device='CPU!'"),
        ({"arrays": "mlx"}, "arrays must be among torch, numpy, jax, got 'mlx'"),
        ({"hyperparameters": {"lr": 1.0}}, "hyperparameters must be among learning_rate"),
        ({"hyperparameters": {"learning_rate": -1.0}}, "learning_rate must be in "),
        ({"target": 3}, "target must be a class, a function or a factory, got 3"),
        (
            {"precision": Precision(FLOAT32, FLOAT32, FLOAT64), "dtypes": ["float64"]},
            r"dtypes must be 'float32', as precision stores, got dtypes=\['float64'\]",
        ),
    ],
)
def test_wrong_arguments_of_check_are_named_with_domain_and_value(arguments, message):
    with pytest.raises(UsageError, match=message):
        check(**{"target": Careless, "formula": "gd", **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"backend": "tensorflaw"},
            f"backend must be 'module:object' or among {', '.join(BACKENDS)}, got backend='tensorflaw'",
        ),
        ({"backend": 3}, "backend must be a name, 'module:object' or a Backend, got backend=3"),
        ({"jobs": 0}, "jobs must be an integer of at least 1, got jobs=0"),
        ({"select": "adam and"}, "expected a part of an id, found the end"),
        ({"select": "nothing_like_it"}, "select must match the id of a check of fake, got select='nothing_like_it'"),
    ],
)
def test_wrong_arguments_of_run_are_named_with_domain_and_value(arguments, message):
    with pytest.raises(UsageError, match=message):
        run(**{"backend": TWO, **arguments})


@pytest.mark.parametrize("backend", ["no_such_module:backend", "conformance.backends.torch:nothing", "builtins:dict"])
def test_a_backend_that_cannot_be_loaded_is_an_error_of_its_own(backend):
    with pytest.raises(LoadError, match=backend):
        run(backend)


def test_a_target_that_cannot_be_loaded_is_an_error_of_its_own():
    with pytest.raises(LoadError, match="no_such_module"):
        check("no_such_module:Adam", "adam")


def in_another_process(program, folder):
    path = [folder, ROOT]
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        check=False,
        text=True,
        cwd=folder,
    )


def test_importing_the_suite_imports_no_framework():
    program = "import sys, conformance; print({'torch', 'jax', 'keras'} & set(sys.modules))"

    assert in_another_process(program, ROOT).stdout == "set()\n"


@pytest.mark.parametrize("name", ["oracle", "properties"])
def test_a_package_of_the_same_name_that_was_imported_before_is_named_in_one_line(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("", "utf-8")

    error = in_another_process(f"import {name}, conformance", tmp_path).stderr.splitlines()[-1]

    assert error.startswith(f"ImportError: exactstep's package '{name}' must lie in {ROOT}, but ")
    assert error.endswith(f"{name}.py was imported before")


def test_a_test_passes_for_what_conforms_and_fails_with_the_summary_of_what_does_not():
    assert_conforms(clip, "clip_by_value")

    with pytest.raises(AssertionError, match=r"deviates[\s\S]*follows_the_formula"):
        assert_conforms(one_sided, "clip_by_value")


def test_a_test_passes_for_what_deviates_as_known():
    target = targets.implementation(one_sided, "clip_by_value", arrays="numpy")
    report = check(target, "clip_by_value", dtypes=["float64"])
    failed = tuple(record.property for record in report.checks if record.status == "deviates")

    expected = tuple(Expectation(name, ("float64",), "One side is not clipped.", "seen", "1.0") for name in failed)

    assert failed
    assert_conforms(replace(target, expected=expected), "clip_by_value", dtypes=["float64"])


def test_a_test_fails_where_nothing_was_shown():
    def refusing(*, dtype, device):
        def function(*arrays, **hyperparameters):
            raise Rejected("nothing pleases it")

        return function

    with pytest.raises(AssertionError, match="mistrusted"):
        assert_conforms(refusing, "clip_by_value")
