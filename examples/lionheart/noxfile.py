"""What is checked: ``nox -s tests`` runs every check as a test of its own, ``nox -s conformance`` makes a page of them."""

from __future__ import annotations

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
BACKEND = "tests/backend.py:backend"


def install(session: nox.Session) -> None:
    """Install the package and what its tests need."""
    session.install(*nox.project.dependency_groups(PROJECT, "test"), "-e", ".")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the checks."""
    install(session)
    session.run("pytest", "--exactstep", BACKEND, "tests", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Write a report: JSON lines, and a page to read."""
    install(session)
    session.run("exactstep", "run", BACKEND, "--output", "report", *session.posargs)
