"""Settings: what `check`, `run` and their kin take, and the errors where they cannot."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.errors import UsageError
from conformance.isolation import TIMEOUT, Limits
from conformance.session import PROFILES
from oracle.arithmetic.formats import FORMATS

__all__ = ["limits_of", "require_jobs", "require_pinned", "require_settings"]

_DEVICE = re.compile(r"[a-z]+(:\d+)?")


def limits_of(isolate: bool | None, timeout: float | None, memory: float | None, *, default: bool) -> Limits | None:
    """Return the limits of isolated subjects, or None where they run in this process."""
    if default if isolate is None else isolate:
        return Limits(TIMEOUT if timeout is None else timeout, memory)
    for name, value in (("timeout", timeout), ("memory", memory)):
        if value is not None:
            raise UsageError(f"{name} must not be given unless isolate is True, got {name}={value!r}")
    return None


def require_settings(*, profile: object, seed: object, dtypes: object, device: object) -> None:
    """Raise UsageError unless `check` and `run` can work with these arguments."""
    if profile not in PROFILES:
        raise UsageError(f"profile must be among {', '.join(PROFILES)}, got profile={profile!r}")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed must be an integer of at least 0, got seed={seed!r}")
    if not isinstance(dtypes, list | tuple) or not dtypes or any(name not in FORMATS for name in dtypes):
        raise UsageError(f"dtypes must be a sequence of names among {', '.join(FORMATS)}, got dtypes={dtypes!r}")
    if not isinstance(device, str) or not _DEVICE.fullmatch(device):
        raise UsageError(f"device must be a name such as cpu or cuda:1, got device={device!r}")


def require_pinned(baseline: str | Path | None, *, replay: bool) -> None:
    """Raise UsageError if nothing is pinned that could be judged."""
    if replay and baseline is None:
        raise UsageError("replay must not be True without a baseline, whose counterexamples are judged")


def require_jobs(jobs: object) -> None:
    """Raise UsageError unless so many processes can share the work."""
    if not isinstance(jobs, int) or jobs < 1:
        raise UsageError(f"jobs must be an integer of at least 1, got jobs={jobs!r}")
