# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.5.1"]
# ///
"""Everything that is checked, each in an environment of its own: ``nox -l`` lists it."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["lint", "typecheck", "tests"]

#: Tests are shared by all cores, those of one group by none: what they have in common is computed once.
SHARED = ("-n", "auto", "--dist", "loadgroup")

PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, project: str | None = ".[torch]") -> None:
    """Install dependency groups, and the project unless it is not needed, at the constrained versions."""
    packages = nox.project.dependency_groups(PROJECT, *groups)
    session.install("-c", "constraints.txt", *packages, *(["-e", project] if project else []))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and spelling."""
    install(session, "lint", project=None)
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types of the three packages."""
    install(session, "typecheck", project=".")
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the doctests; arguments go to pytest."""
    install(session, "test", project=".[figures,torch]")
    session.run("pytest", *(session.posargs or SHARED))


@nox.session(default=False)
def conformance(session: nox.Session) -> None:
    """Judge a backend, torch unless named: ``nox -s conformance -- torch --profile standard``."""
    install(session)
    session.run("exactstep", "run", *(session.posargs or ["torch"]), "--output", "report")


#: Backends of the matrix by the name of their report: the extra of pyproject.toml, and what the environment must say.
LIBRARIES = {
    "autograd": ("autograd", {}),
    "bitsandbytes": ("bitsandbytes", {}),
    "flax": ("flax", {}),
    "heavyball": ("heavyball", {}),
    "jax": ("jax", {}),
    "keras": ("keras", {"KERAS_BACKEND": "jax"}),
    "keras-on-torch": ("keras-torch", {"KERAS_BACKEND": "torch"}),
    "lion-pytorch": ("lion-pytorch", {}),
    "mlx": ("mlx", {}),
    "onnx": ("onnx", {}),
    "optax": ("jax", {}),
    "pytorch_optimizer": ("pytorch_optimizer", {}),
    "scikit-learn": ("scikit-learn", {}),
    "tinygrad": ("tinygrad", {}),
    "torch": ("torch", {}),
    "torch-compiled": ("torch", {}),
    "torch-optimi": ("torch-optimi", {}),
    "torch-optimizer": ("torch-optimizer", {}),
    "transformers": ("transformers", {}),
}


@nox.session(name="conformance-matrix", default=False)
@nox.parametrize("library", [nox.param(name, id=name) for name in LIBRARIES])
def conformance_matrix(session: nox.Session, library: str) -> None:
    """Test a library's adapter, judge the library, and write its page of `reports`; arguments go to `exactstep run`."""
    extra, environment = LIBRARIES[library]
    backend = library.partition("-on-")[0]
    session.env.update(environment)
    install(session, "test", project=f".[{extra}]")
    session.run("pytest", f"tests/conformance/backends/test_{backend.replace('-', '_')}.py")
    session.run("exactstep", "run", backend, "--output", f"report/{library}", *session.posargs)
    page = f"reports/{library}.md"
    session.run("exactstep", "report", f"report/{library}/report.jsonl", "--format", "markdown", "--output", page)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Time a run, the oracle beside mpmath, and the bounds beside numpy."""
    install(session, "benchmark")
    session.run(
        "pytest", "benchmarks", "--benchmark-group-by=group", "--benchmark-columns=min,median,rounds", *session.posargs
    )


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Run the tests with the full number of inputs, drawn with a new seed: an hour or more.

    The last lines say how many steps of honest optimizers and calls of honest functions were judged.
    """
    install(session, "test", project=".[figures,torch]")
    session.run("pytest", "--full", *(session.posargs or SHARED))


@nox.session(default=False)
def selftest(session: nox.Session) -> None:
    """Run every claim on every seeded fault of its formula, and list what survives."""
    install(session)
    session.run("exactstep", "selftest", *session.posargs)


@nox.session(name="identify-matrix", default=False)
def identify_matrix(session: nox.Session) -> None:
    """Identify a fresh program at every point of every family, and every form of every function: two hours."""
    install(session, "test", project=".[torch]")
    tests = ("tests/conformance/test_identify_matrix.py", "tests/conformance/test_identify_functions.py")
    session.run("pytest", "--full", *tests, *session.posargs)


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """Judge torch on the GPU, with the build of torch that the index gives this machine."""
    session.install("-e", ".[torch]")
    session.run("exactstep", "run", "torch", "--device", "cuda", "--output", "report", *session.posargs)
