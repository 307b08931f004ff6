"""A Hypothesis backend whose draws depend on the seed alone.

Hypothesis mixes constants that it finds in the user's modules into the numbers it draws, so that
its draws depend on what happens to be imported. A verdict must not.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

__all__ = ["BACKEND", "SeedOnlyProvider"]

BACKEND = "exactstep"


class SeedOnlyProvider(HypothesisProvider):
    """Hypothesis' own way of drawing, without constants from elsewhere."""

    def _maybe_draw_constant(self, *_arguments: Any, **_options: Any) -> None:
        return None


AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{SeedOnlyProvider.__name__}"
