"""Every finding of the reports can be shown by a script, and is still there."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"
SCRIPTS = sorted((REPORTS / "findings").glob("*.py"))
BACKENDS = sorted((ROOT / "conformance" / "backends").glob("*.py"))
SCRIPT = re.compile(r"reports/findings/\w+\.py")
LONGEST = 40

#: What shows a finding of torch no more, once it is replaced by what torch might do some day.
MENDED = {
    "torch_clip_value_without_gradients": ("clip_grad_value_", "clip_grad_norm_"),
    "torch_cosine_annealing_rises_again": (
        "CosineAnnealingLR(optimizer, T_max=2, eta_min=0.1)",
        "LambdaLR(optimizer, [1.0, 0.55, 0.1, 0.1, 0.1, 0.1].__getitem__)",
    ),
    "torch_default_eps_vanishes_in_float16": ("constructor([parameter])", "constructor([parameter], eps=1e-4)"),
    "torch_foreach_nesterov_changes_gradients": ("foreach=True", "foreach=False"),
    "torch_frozen_differentiable": ("(0.0, differentiable=True)", "(0.0, foreach=False)"),
    "torch_fused_ignores_strides": ("(False, True)", "(False, False)"),
    "torch_fused_sgd_late_gradient": ("trained(fused=True)", "trained(fused=False)"),
    "torch_fused_sgd_leaves_half_types": ("fused=True", "fused=False"),
    "torch_nadam_rounds_its_product_on_load": ("loaded.load_state_dict(saved.state_dict())", "loaded = saved"),
    "torch_sgd_keeps_a_stale_velocity": ("(0.0, 0.0)", "(1e-50, 0.0)"),
    "torch_single_corrections": ("differentiable=True", "foreach=False"),
}

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])


def needed(script: Path) -> set[str]:
    """Packages that a script imports, but those of the standard library."""
    names: list[str] = []
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def named_scripts(source: str) -> set[str]:
    """Scripts that the strings of a module name."""
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {name for value in strings if isinstance(value, str) for name in SCRIPT.findall(value)}


@every_script
def test_a_finding_is_still_there(script: Path) -> None:
    missing = sorted(name for name in needed(script) if importlib.util.find_spec(name) is None)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "expected" in run.stdout
    assert "got" in run.stdout


@pytest.mark.parametrize("name", MENDED)
def test_a_finding_that_is_gone_is_noticed(name: str) -> None:
    source = (REPORTS / "findings" / f"{name}.py").read_text("utf-8")
    wrong, mended = MENDED[name]
    assert wrong in source

    with pytest.raises(SystemExit) as ended:
        exec(compile(source.replace(wrong, mended), name, "exec"), {})

    assert ended.value.code == 1


def test_each_finding_of_torch_has_been_seen_gone() -> None:
    assert {script.stem for script in SCRIPTS if needed(script) <= {"numpy", "torch"}} == set(MENDED)


@every_script
def test_a_script_is_short_and_needs_nothing_of_exactstep(script: Path) -> None:
    assert len(script.read_text("utf-8").splitlines()) <= LONGEST
    assert not needed(script) & {"conformance", "oracle", "properties", "tests"}


def test_evidence_names_scripts_that_exist() -> None:
    named = set().union(*(named_scripts(path.read_text("utf-8")) for path in BACKENDS))

    assert named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_a_name_is_found_across_the_parts_of_a_string() -> None:
    assert named_scripts('evidence = "seen by reports/findings/" "torch_x.py: 1"') == {"reports/findings/torch_x.py"}


def test_the_page_links_every_finding_and_every_report() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", (REPORTS / "README.md").read_text("utf-8")))
    files = {path.relative_to(REPORTS).as_posix() for path in (*SCRIPTS, *REPORTS.glob("*.md"))} - {"README.md"}

    assert files <= links
    assert {link for link in links if "://" not in link and not (REPORTS / link).exists()} == set()
