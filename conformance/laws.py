"""A profile of an optimizer that the catalogue does not know: which laws it obeys, in numbers and without a verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from conformance.errors import UsageError
from conformance.guard import guard
from conformance.session import derived_seed
from conformance.specimen import described
from conformance.targets.optimizers import unknown_optimizer
from properties.laws import DUTIES, LAWS, Duty, Law, Rig, Trial, trials
from properties.subject import Rejected

__all__ = ["LawProfile", "LawRecord", "Outcome", "laws"]

Outcome = Literal["holds", "broken", "undecided", "not offered", "crash"]

DTYPES = ("float64", "float32")

#: Inputs that every law is tried on.
_TRIALS = 6

# From float32 to float64 rounding shrinks by about 2^-29, and mathematics does not.
_SHRUNK, _STAYED = 2.0**-20, 2.0**-10

# What departs by no more in float64 is its rounding; what departs by no more than this in both may be that of float32,
# in which an optimizer may compute some part whatever its parameters are.
_ROUNDING, _SINGLE = 2.0**-45, 2.0**-16


@dataclass(frozen=True)
class LawRecord:
    """What was seen of one law.

    Parameters
    ----------
    name, sentence : str
    outcome : {"holds", "broken", "undecided", "not offered", "crash"}
    departures : mapping of str to float
        By dtype, the largest difference of two runs that the law says are the same, in units of the largest
        update; empty for what is kept or broken bit by bit.
    duty : bool
        Whether every optimizer owes it.
    message : str
    """

    name: str
    sentence: str
    outcome: Outcome
    departures: Mapping[str, float] = field(default_factory=dict)
    duty: bool = False
    message: str = ""


@dataclass(frozen=True)
class LawProfile:
    """What is known of an optimizer without knowing its formula.

    Parameters
    ----------
    target : str
    seed : int
    matching : str
        Which of its keywords are taken for the learning rate and the decay.
    records : tuple of LawRecord
    inputs : int
        How many each law was tried on.
    refusal : str
        Why the target refused others, such as vectors; empty if it did not.
    """

    target: str
    seed: int
    matching: str
    records: tuple[LawRecord, ...]
    inputs: int
    refusal: str = ""

    @property
    def failed(self) -> tuple[LawRecord, ...]:
        """What nobody's formula excuses: a crash, or a broken duty."""
        return tuple(
            record
            for record in self.records
            if record.outcome == "crash" or (record.duty and record.outcome == "broken")
        )

    def summary(self) -> str:
        """Return a table of what holds and what does not, with the numbers."""
        width = max(len(record.name) for record in self.records)
        lines = [
            f"{self.target}  {self.matching}",
            "  no formula claimed, hence no verdict: the laws that it obeys",
            "",
        ]
        for record in self.records:
            numbers = ", ".join(f"{number:.2g} in {dtype}" for dtype, number in record.departures.items())
            told = numbers if record.outcome in ("broken", "undecided") and numbers else record.message
            note = f"  ({told})" if told else ""
            lines.append(f"  {record.outcome:<11}  {record.name:<{width}}  {record.sentence}{note}")
        lines += ["", f"  departures in units of the largest update, {self.inputs} inputs, seed {self.seed}"]
        lines += [f"  other inputs were refused: {self.refusal}"] if self.refusal else []
        return "\n".join(lines)

    def as_json(self) -> str:
        """Return all of it as JSON, numbers as they are."""
        return json.dumps(asdict(self), indent=2)


def laws(target: Any, *, seed: int = 0, device: str = "cpu") -> LawProfile:
    """Say which laws an optimizer obeys, whatever its formula.

    Parameters
    ----------
    target : class or str
        As `conformance.check` takes it.
    seed : int
        What inputs are drawn from, at least 0.
    device : str

    Returns
    -------
    LawProfile

    Raises
    ------
    UsageError
        If the target is no optimizer, or its constructor refuses a learning rate of 1/8 beside its defaults.
    """
    if seed < 0:
        raise UsageError(f"seed must be an integer of at least 0, got seed={seed!r}")
    implementation = unknown_optimizer(target)
    factory, spellings = implementation.factory, implementation.factory.spellings
    rigs = {dtype: Rig(factory, tuple(spellings), dtype, device) for dtype in DTYPES}
    inputs, refusal = _accepted(rigs["float64"], trials(derived_seed("laws", seed) % 2**63, _TRIALS))
    judged: list[LawRecord] = []
    for entry in (*DUTIES, *LAWS):
        record = LawRecord(entry.name, entry.sentence, "not offered", duty=isinstance(entry, Duty))
        missing = [name for name in entry.needs if name not in (*spellings, *implementation.offers)]
        if missing:
            record = replace(record, message=f"no {', '.join(missing)}")
        else:
            with guard(derived_seed(implementation.label, entry.name, seed)):
                record = _judged(record, entry, rigs, inputs)
        judged.append(record)
        if judged[0].outcome == "crash":
            break  # what does not run at all is told once
    return LawProfile(implementation.label, seed, implementation.matching, tuple(judged), len(inputs), refusal)


def _accepted(rig: Rig, drawn: Sequence[Trial]) -> tuple[list[Trial], str]:
    """Return the trials that the constructor does not refuse, and why it refuses the others; some take matrices only."""
    accepted, refusal = [], ""
    for param, grads in drawn:
        try:
            with guard(0):
                rig.train(param, [])
        except Rejected as error:
            refusal = str(error)
        except (Exception, SystemExit):  # noqa: BLE001 - what a target raises is judged where laws are
            accepted.append((param, grads))
        else:
            accepted.append((param, grads))
    if not accepted:
        raise UsageError(f"the target refuses a learning rate of 1/8 beside its defaults: {refusal}")
    return accepted, refusal


def _judged(record: LawRecord, entry: Duty | Law, rigs: Mapping[str, Rig], inputs: Sequence[Trial]) -> LawRecord:
    try:
        return _kept(record, entry, rigs, inputs) if isinstance(entry, Duty) else _departed(record, entry, rigs, inputs)
    except Rejected as refusal:
        return replace(record, message=str(refusal))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what a target raises is its outcome, and no failure of ours
        return replace(record, outcome="crash", message=described(error).splitlines()[0])


def _kept(record: LawRecord, duty: Duty, rigs: Mapping[str, Rig], inputs: Sequence[Trial]) -> LawRecord:
    broken = [dtype for dtype, rig in rigs.items() if not all(duty.kept(rig, *trial) for trial in inputs)]
    return replace(
        record, outcome="broken" if broken else "holds", message=", ".join(f"in {dtype}" for dtype in broken)
    )


def _departed(record: LawRecord, law: Law, rigs: Mapping[str, Rig], inputs: Sequence[Trial]) -> LawRecord:
    found = {dtype: max(law.departure(rig, *trial) for trial in inputs) for dtype, rig in rigs.items()}
    return replace(record, outcome=decided(found["float64"], found["float32"]), departures=found)


def decided(wide: float, narrow: float) -> Outcome:
    """Tell rounding from mathematics by the departures in float64 and float32."""
    if wide <= _ROUNDING or wide <= _SHRUNK * narrow < math.inf:
        return "holds"
    if wide >= _STAYED * narrow and wide > _SINGLE:
        return "broken"
    return "undecided"
