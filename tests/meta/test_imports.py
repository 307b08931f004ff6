"""The architecture, read from the source: who imports whom, and what no module may contain."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("oracle", "properties", "conformance")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in MODULES]

DRAWING = {"matplotlib"}
FRAMEWORKS = {
    "autograd",
    "flax",
    "jax",
    "jaxlib",
    "bitsandbytes",
    "heavyball",
    "keras",
    "transformers",
    "lightning",
    "lion_pytorch",
    "mlx",
    "onnx",
    "optax",
    "optimi",
    "paddle",
    "pytorch_optimizer",
    "scipy",
    "sklearn",
    "tensorflow",
    "tinygrad",
    "torch",
    "torch_optimizer",
}
MAY_IMPORT = {
    "oracle": {"array_api_compat", "flint", "numpy", "sympy", "oracle"},
    "properties": {"hypothesis", "numpy", "oracle", "properties"},
    "conformance": {"hypothesis", "numpy", "packaging", "oracle", "properties", "conformance"},
}
TOLERANCE = re.compile(r"\b[ra]tol\b|(rel|abs)_tol\b|allclose|isclose|almost_equal|\bapprox\(")
LONGEST = 700

every_module = pytest.mark.parametrize("path", MODULES, ids=NAMES)


def imports(tree: ast.AST) -> Iterator[str]:
    """Names of the top-level packages that a tree imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides where a name comes from"
            yield (node.module or "").split(".")[0]


def imports_at_import(tree: ast.Module) -> Iterator[str]:
    """Names of the top-level packages that are imported when the module is, in no function's body."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        pending += [
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        ]


def foreign(names: Iterator[str]) -> set[str]:
    """The names that are not of the standard library."""
    return set(names) - sys.stdlib_module_names


def test_there_are_modules_to_read() -> None:
    assert {name.split("/")[0] for name in NAMES} == set(PACKAGES)


@every_module
def test_imports_point_one_way(path: Path) -> None:
    name = path.relative_to(ROOT)
    allowed = MAY_IMPORT[name.parts[0]]
    if name.parts[:2] == ("conformance", "backends"):
        allowed = allowed | FRAMEWORKS
    if name.parts[:2] == ("conformance", "figures"):
        allowed = allowed | DRAWING
    if name.parts == ("conformance", "pytest_plugin.py"):
        allowed = allowed | {"pytest"}

    assert foreign(imports(ast.parse(path.read_text("utf-8")))) <= allowed


def test_what_pytest_loads_in_every_run_imports_pytest_alone() -> None:
    tree = ast.parse((ROOT / "exactstep_pytest.py").read_text("utf-8"))

    assert foreign(imports_at_import(tree)) == {"pytest"}


@every_module
def test_no_framework_is_imported_before_it_is_used(path: Path) -> None:
    assert not (FRAMEWORKS | DRAWING) & set(imports_at_import(ast.parse(path.read_text("utf-8"))))


@every_module
def test_no_tolerance_is_chosen(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()

    assert [line for line in lines if TOLERANCE.search(line)] == []


@every_module
def test_a_module_can_be_read_in_a_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@every_module
def test_a_public_module_says_what_it_offers(path: Path) -> None:
    statements = ast.parse(path.read_text("utf-8")).body
    assigned = {ast.unparse(node.targets[0]) for node in statements if isinstance(node, ast.Assign)}
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in statements)

    assert "__all__" in assigned or not defines


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch", {"torch"}),
        ("class A:\n    import jax.numpy", {"jax"}),
        ("if True:\n    from torch.optim import Adam", {"torch"}),
        ("def f():\n    import torch", set()),
    ],
)
def test_an_import_at_import_time_is_found(source: str, found: set[str]) -> None:
    assert set(imports_at_import(ast.parse(source))) == found


@pytest.mark.parametrize("line", ["np.allclose(a, b)", "x == pytest.approx(y)", "assert_allclose(a, b, rtol=1e-3)"])
def test_a_chosen_tolerance_is_found(line: str) -> None:
    assert TOLERANCE.search(line)
