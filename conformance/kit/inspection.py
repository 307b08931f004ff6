"""Putting a backend through the kit: each implementation in each dtype on each device, in a process that may die."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from conformance.api import judging
from conformance.backends import Backend, Implementation
from conformance.engine import blank
from conformance.errors import UsageError
from conformance.frameworks import loaded_backend
from conformance.guard import guard
from conformance.kit import duties, functions, steppers
from conformance.kit.breach import Breach
from conformance.kit.candidate import Candidate
from conformance.kit.records import faults_of_records
from conformance.kit.traces import Watched, quiet, unobtrusive
from conformance.plan import Judge, Plan, Unit
from conformance.records import CheckRecord
from conformance.selection import selector
from conformance.session import Session, derived_seed
from conformance.settings import limits_of, require_settings
from conformance.specimen import SubjectFailure, described
from oracle.arithmetic.formats import FORMATS
from properties.catalogue import claims_for
from properties.subject import Rejected

__all__ = ["assert_backend_conforms"]

_ADAPTER = "adapter"

#: Claims about what an adapter may lose on the way, which are the kit's as well.
_CLAIMS = (
    "missing_gradient_is_no_step",
    "gradients_are_kept",
    "parameters_keep_their_place",
    "copying_changes_nothing",
    "resuming_changes_nothing",
    "saving_changes_nothing",
    "rewinding_changes_nothing",
    "late_group_starts_anew",
    "any_order",
)

#: A subject that keeps its promises; "unsupported" is what it does not declare, and "mistrusted" speaks of inputs.
_KEPT = ("conforms", "expected-deviation", "unsupported", "mistrusted")


@dataclass(frozen=True)
class Inspection(Plan):
    """A plan with one check for each implementation, dtype and device: whether the adapter keeps its promises.

    Parameters
    ----------
    devices : tuple of str, optional
        Those of each implementation if not given.
    """

    devices: tuple[str, ...] | None = None

    def units(self) -> tuple[Unit, ...]:
        """Return the selected checks, those of one formula, dtype and device together."""
        wanted = selector(self.select)
        checks: dict[tuple[str, str, str], list[tuple[Implementation, str]]] = {}
        for entry in self.implementations:
            for dtype in (name for name in entry.dtypes if name in self.dtypes):
                for device in (name for name in entry.devices if self.devices is None or name in self.devices):
                    if wanted(blank(entry.formula, _ADAPTER, entry.label, dtype, device).id):
                        checks.setdefault((entry.formula, dtype, device), []).append((entry, _ADAPTER))
        return tuple(Unit(*place, tuple(pairs)) for place, pairs in checks.items())

    def judge(self, unit: Unit, session: Session) -> Iterator[CheckRecord]:
        """Yield the records of one unit, ``conforms`` or with the message of the first promise that is not kept."""
        for implementation, _ in unit.checks:
            yield self._inspected(implementation, unit, session)

    def _inspected(self, implementation: Implementation, unit: Unit, session: Session) -> CheckRecord:
        record = blank(unit.formula, _ADAPTER, implementation.label, unit.dtype, unit.device)
        specimen = Watched(implementation, unit.dtype, unit.device, session.counts)
        seed = derived_seed(record.id, self.seed)
        with guard(seed):
            try:
                with quiet():
                    candidate = Candidate(specimen, session)
                    with guard(seed + 1):
                        candidate.answered  # noqa: B018 - the first answers may import a library, which changes much
                    with unobtrusive():
                        _require_duties(candidate)
                self._require_claims(implementation, unit, session)
            except Breach as breach:
                return replace(record, status="deviates", message=str(breach))
            except SubjectFailure as failure:
                return replace(record, status="crash", message=str(failure))
            except Exception as error:  # noqa: BLE001 - a failure of ours is one check's result, not the run's end
                return replace(record, status="harness-error", message=described(error))
        return replace(record, status="conforms")

    def _require_claims(self, implementation: Implementation, unit: Unit, session: Session) -> None:
        judge = Judge(replace(self, device=unit.device), unit, session)
        for claim in claims_for(unit.formula):
            if claim.name in _CLAIMS:
                record = judge.record(implementation, claim.name)
                if record.status not in _KEPT:
                    raise Breach(
                        claim.sentence[0].lower() + claim.sentence[1:].rstrip("."), f"{record.message} ({record.id})"
                    )


def _require_duties(candidate: Candidate) -> None:
    """Require what adapters owe.

    Raises
    ------
    Breach
        Of the first duty that is neglected.
    SubjectFailure
        If a subject fails.
    """
    own = steppers.DUTIES if candidate.formula.kind == "optimizer" else functions.DUTIES
    duties.results_repeat(candidate)
    for duty in (*own, duties.hyperparameters_are_shown, duties.no_digit_is_lost, duties.any_layout_is_read):
        with suppress(Rejected):  # what is refused of the inputs of a duty is not judged
            duty(candidate)


def assert_backend_conforms(
    backend: str | Backend,
    *,
    select: str | None = None,
    dtypes: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    seed: int = 0,
    isolate: bool | None = None,
    timeout: float | None = None,
    memory: float | None = None,
) -> None:
    """Fail a test unless the adapters of a backend do what they declare, whatever the library behind them computes.

    Parameters
    ----------
    backend : str or Backend
        As `conformance.run` takes it.
    select : str, optional
        Only subjects whose id, such as ``adam.adapter@torch.optim.Adam:loop[float32,cpu]``, matches; see
        `conformance.selection`.
    dtypes, devices : sequence of str, optional
        All that the implementations declare if not given.
    seed : int
        What runs are drawn from, at least 0.
    isolate, timeout, memory
        As `conformance.run` takes them: a backend that is named runs in a process of its own, and what ends it, or hangs,
        is one of the failures.

    Raises
    ------
    AssertionError
        Naming for each subject the first promise that it does not keep, and what was seen instead.
    UsageError
        As `conformance.run`.

    Examples
    --------
    >>> assert_backend_conforms("torch", select="relu", dtypes=["float64"], isolate=False)
    """
    __tracebackhide__ = True  # pytest shows the test's line and the message
    require_settings(profile="quick", seed=seed, dtypes=tuple(FORMATS) if dtypes is None else dtypes, device="cpu")
    loaded = loaded_backend(backend, None)
    faults, count = faults_of_records(loaded), "records"
    if not faults:
        made = partial(_inspection, backend, select, dtypes, devices, seed)
        plan = made()
        limits = limits_of(isolate, timeout, memory, default=isinstance(backend, str))
        recipe: Callable[[], Plan] = made if isinstance(backend, str) else partial(replace, plan)
        records = list(judging(plan, recipe, limits)(plan.tasks()))
        if not records:
            raise UsageError(f"select must match the id of a subject of {loaded.name}, got select={select!r}")
        faults = [f"{record.id}: {_said(record)}" for record in records if record.status != "conforms"]
        count = f"{len(faults)} of {len(records)} subjects"
    if faults:
        head = f"{loaded.name} {loaded.version} does not keep what adapters promise ({count}):"
        raise AssertionError("\n".join([head, *faults]).replace("\n", "\n  "))


def _said(record: CheckRecord) -> str:
    """Return what became of a subject; what ended its process, or has to, speaks of no promise."""
    if record.status in ("deviates", "harness-error"):
        return record.message
    return f"promises an answer or Rejected, but this came of it: {record.message}"


def _inspection(
    backend: str | Backend,
    select: str | None,
    dtypes: Sequence[str] | None,
    devices: Sequence[str] | None,
    seed: int,
) -> Inspection:
    return Inspection(
        loaded_backend(backend, None).implementations,
        tuple(FORMATS if dtypes is None else dtypes),
        "cpu",
        "quick",
        seed,
        select=select,
        devices=None if devices is None else tuple(devices),
    )
