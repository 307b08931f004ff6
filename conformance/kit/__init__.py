"""The test kit for authors of backends: does an adapter do what it declares, whatever the library behind it computes."""

from __future__ import annotations

from conformance.kit.inspection import assert_backend_conforms

__all__ = ["assert_backend_conforms"]
