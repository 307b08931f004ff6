"""What Exactstep is to judge: each check becomes a test under ``pytest --exactstep tests/backend.py:backend``."""

from __future__ import annotations

import lionheart

from conformance.backends import Backend
from conformance.targets import implementation


def backend() -> Backend:
    """Return the optimizers of this package; a known deviation would stand in `Implementation.expected`."""
    return Backend("lionheart", lionheart.__version__, (implementation(lionheart.Lion, "lion"),))


def wrong() -> Backend:
    """Return the sibling, to see what a failure looks like."""
    return Backend("hasty", lionheart.__version__, (implementation(lionheart.HastyLion, "lion"),))
