"""One check: a claim, an implementation, a dtype and a device make one record."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.backends import Expectation, Implementation
from conformance.bench import Bench, Tally
from conformance.diagnosis import diagnose
from conformance.evidence import counterexample, demands, ranges
from conformance.expectations import as_expected, as_pinned, freed, known_deviations, together
from conformance.guard import guard
from conformance.power import Power, one_with, power
from conformance.records import FOLLOWS, CheckRecord
from conformance.reduction import Retrial, reduced
from conformance.session import Case, Session, derived_seed
from conformance.specimen import Specimen, SubjectFailure, described
from oracle.arithmetic.formats import Precision, precision_models
from oracle.formula import Formula
from properties.claims import Claim, Space, Unrepeated, Violation
from properties.subject import Rejected

__all__ = ["Engine", "blank", "check_id", "why_unsupported"]

#: How often a check may be run to find a simpler counterexample.
_REDUCTION_BUDGET = 200
#: How often others are drawn for a subject that refuses all cases: a claim may have two, and one value may spoil both.
_LAST_LOT = 4


def check_id(formula: str, claim: str, label: str, dtype: str, device: str) -> str:
    """Return the id of a check, such as ``adamw.decoupling@torch.optim.AdamW:fused[float32,cpu]``."""
    return f"{formula}.{claim}@{label}[{dtype},{device}]"


def blank(formula: str, claim: str, label: str, dtype: str, device: str) -> CheckRecord:
    """Return the record of a check of which nothing is known."""
    id = check_id(formula, claim, label, dtype, device)
    return CheckRecord(id, formula, claim, label, dtype, device, status="unsupported")


def why_unsupported(claim: Claim, implementation: Implementation, dtype: str, device: str) -> str:
    """Return why a claim is not to be checked of an implementation, by what it declares; empty if it is."""
    label = implementation.label
    if dtype not in implementation.dtypes or device.partition(":")[0] not in implementation.devices:
        return f"{label} declares {', '.join(implementation.dtypes)} on {', '.join(implementation.devices)}"
    held = [name for name in claim.varies if name in implementation.fixed]
    if held:
        return f"{claim.name} sets {', '.join(held)}, which {label} cannot vary"
    lacking = [name for name in claim.needs if name not in implementation.offers]
    return f"{label} does not offer {', '.join(lacking)}" if lacking else ""


@dataclass
class _Trial:
    """A specimen's run through cases under one precision model, compared with one evaluation of the formula."""

    precision: Precision
    evaluation: str = ""
    answered: list[Case] = field(default_factory=list)
    rejections: list[Rejected] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    failures: list[tuple[Case, Violation]] = field(default_factory=list)
    crash: tuple[Case, SubjectFailure] | None = None

    @property
    def cases(self) -> int:
        """How many were run."""
        return len(self.answered) + len(self.rejections)


class Engine:
    """Judges implementations of one formula.

    Parameters
    ----------
    session : Session
        Shared by all implementations of a run.
    formula : Formula
    claims : sequence of Claim
        All claims about the formula, whether they are to be checked or not.
    precision : Precision, optional
        The only precision model to accept; by default those of the dtype, from strict to loose.
    replay : bool
        Whether nothing is drawn, and known deviations are judged on the inputs that they pin alone.
    """

    def __init__(
        self,
        session: Session,
        formula: Formula,
        claims: Sequence[Claim],
        *,
        precision: Precision | None = None,
        replay: bool = False,
    ) -> None:
        self._session = session
        self._formula = formula
        self._differential = next((claim for claim in claims if claim.name == FOLLOWS), None)
        self._precision = precision
        self._replay = replay

    def check(self, claim: Claim, specimen: Specimen) -> CheckRecord:
        """Judge a specimen by a claim, and leave the process as it was."""
        started = time.perf_counter()
        implementation, dtype, device = specimen.implementation, specimen.dtype, specimen.device
        record = blank(self._formula.id, claim.name, implementation.label, dtype, device)
        why = why_unsupported(claim, implementation, dtype, device)
        if why:
            return replace(record, counted=False, message=why)

        record = replace(record, status="conforms")
        guarded = implementation.host.guard if implementation.host else guard
        with guarded(derived_seed(record.id, self._session.seed)) as printed:
            try:
                record = self._judged(record, claim, specimen)
            except Exception as error:  # noqa: BLE001 - a failure of ours is one check's result, not the run's end
                record = replace(record, status="harness-error", message=described(error))
        if printed.getvalue():
            record = replace(record, message=f"{record.message}; {_printed(printed.getvalue())}".removeprefix("; "))
        return replace(record, seconds=time.perf_counter() - started)

    def _judged(self, unjudged: CheckRecord, claim: Claim, specimen: Specimen, lot: int = 0) -> CheckRecord:
        """Judge the cases of each known deviation apart, so that it hides nothing about the others."""
        remaining = [] if self._replay else list(self._cases(claim, specimen, lot))
        known = known_deviations(specimen, claim)
        excused, there, apart = [], [], []
        for entry in known:
            if entry.inputs is None:
                there.append(entry)
                continue
            shown = self._outcome(unjudged, claim, specimen, [Case(entry.inputs)], [entry], pinned=True)
            shown = as_pinned(shown, entry)
            if self._replay or shown.status != "expected-deviation":
                excused.append(shown)  # what is there no longer, or is something else, excuses nothing
            else:
                there.append(entry)
        # Those that pin an input go together if they do not say of others whether they are theirs.
        silent = [entry for entry in there if entry.inputs is not None and entry.where is None]
        for entries in [*([entry] for entry in there if entry not in silent), silent]:
            concerned = [case for case in remaining if any(entry.concerns(case.runs) for entry in entries)]
            remaining = [case for case in remaining if case not in concerned]
            remaining += freed(self._session, concerned, entries)
            concerned += [Case(entry.inputs) for entry in entries if entry.inputs is not None]
            if concerned:
                excused.append(as_expected(self._outcome(unjudged, claim, specimen, concerned, entries), entries))
                apart += concerned
        record = (
            self._outcome(unjudged, claim, specimen, remaining, apart=apart) if remaining or not excused else unjudged
        )
        for shown in excused:
            record = together(record, shown)
        if 0 < record.cases == record.rejected and lot < _LAST_LOT and not self._replay:
            return self._judged(unjudged, claim, specimen, lot + 1)
        return record

    def _outcome(
        self,
        record: CheckRecord,
        claim: Claim,
        specimen: Specimen,
        cases: Sequence[Case],
        expected: Sequence[Expectation] = (),
        *,
        pinned: bool = False,
        apart: Sequence[Case] = (),
    ) -> CheckRecord:
        # An expected crash must not hide that another case deviates.
        crashes = any(entry.outcome == "crash" for entry in expected)
        trial = self._trials(claim, specimen, cases, past_crashes=crashes, pinned=pinned)
        asked, offers = demands(cases), specimen.implementation.offers
        record = replace(
            record,
            error_over_bound=trial.tally.error_over_bound,
            ulps=trial.tally.ulps,
            cases=trial.cases,
            rejected=len(trial.rejections),
            judged=trial.tally.judged,
            unjudged=trial.tally.unjudged,
            undecided=trial.tally.undecided,
            ranges=ranges(cases),
            exercised=tuple(sorted(demands(trial.answered) & {*offers})),
            left_out=tuple(sorted(asked - {*offers})),
        )
        if trial.crash and not (crashes and trial.failures):
            case, failure = trial.crash
            found = counterexample(case.inputs)
            return replace(record, status="crash", message=str(failure), counterexample=found)
        if trial.failures:
            known = any(entry.outcome == "deviates" for entry in expected)
            return self._deviating(record, claim, specimen, trial, expected=known)
        return self._conforming(record, claim, specimen, trial, apart, expected=bool(expected))

    def _trials(
        self, claim: Claim, specimen: Specimen, cases: Sequence[Case], *, past_crashes: bool, pinned: bool
    ) -> _Trial:
        """Run through the precision models of each accepted evaluation, and return the first trial that holds, or the last.

        The last is all that speaks of a pinned case: a counterexample is one to it, perhaps not to each of the others.
        """
        models = (self._precision,) if self._precision else precision_models(specimen.dtype)
        accepted = self._formula.accepted(specimen.implementation.evaluation)
        *strict, loosest = [(evaluation, precision) for evaluation in accepted for precision in models]
        for evaluation, precision in () if pinned else strict:
            trial = _Trial(precision, evaluation)
            self._run(trial, claim, specimen, cases, past_failures=False, past_crashes=past_crashes)
            if not trial.failures:
                return trial
        trial = _Trial(loosest[1], loosest[0])
        self._run(trial, claim, specimen, cases, past_failures=True, past_crashes=past_crashes)
        return trial

    def _run(
        self,
        trial: _Trial,
        claim: Claim,
        specimen: Specimen,
        cases: Sequence[Case],
        *,
        past_failures: bool,
        past_crashes: bool,
    ) -> None:
        formula = self._formula.programs[trial.evaluation]
        for case in cases:
            bench = Bench(self._session, specimen, specimen.transcript(case), formula, trial.precision)
            try:
                claim.check(bench, **case.inputs)
            except Rejected as rejection:
                trial.rejections.append(rejection)
                continue
            except SubjectFailure as failure:
                trial.crash = trial.crash or (case, failure)
            except Violation as violation:
                trial.failures.append((case, violation))
            trial.answered.append(case)
            trial.tally.add(bench.tally)
            if (trial.crash and not past_crashes) or (trial.failures and not past_failures):
                break

    def _conforming(
        self,
        record: CheckRecord,
        claim: Claim,
        specimen: Specimen,
        trial: _Trial,
        apart: Sequence[Case],
        *,
        expected: bool,
    ) -> CheckRecord:
        record = replace(record, evaluation=trial.evaluation or self._formula.id, precision=str(trial.precision))
        if trial.rejections and not trial.answered:
            message = f"the implementation refused the hyperparameters of all {trial.cases} cases"
            message += f": {trial.rejections[0]}"
            return replace(record, status="mistrusted", message=message)
        if not trial.tally.judged:
            return replace(record, status="mistrusted", message=f"no bound is finite in any of {trial.cases} cases")
        if trial.tally.judged == trial.tally.undecided:
            message = f"each of the {trial.tally.judged} elements judged may take any branch of a discontinuity"
            return replace(record, status="mistrusted", message=message)
        if claim.name != FOLLOWS or expected:
            return record

        unseen = [name for name in specimen.implementation.state if name not in trial.tally.quantities]
        if unseen:
            message = f"{record.implementation} declares to show {', '.join(unseen)}, and no case judged it"
            return replace(record, status="mistrusted", message=message)
        # What was refused shows nothing.
        seen, same = self._power(claim, specimen, trial)
        record = replace(record, separated=seen.separated, blind_to=seen.blind_to, message=same)
        if not seen.blind_to:
            return record
        told = f"tell {self._formula.id} from {', '.join(seen.blind_to)}"
        everything = [*trial.answered, *apart]
        among = power(self._session, self._formula, everything, trial.precision, trial.evaluation)
        if set(seen.blind_to).isdisjoint(among.blind_to):
            note = f"only the cases that a known deviation concerns {told}"
            return replace(record, message=f"{same}; {note}".removeprefix("; "))
        return replace(record, status="mistrusted", message=f"the cases do not {told}")

    def _power(self, claim: Claim, specimen: Specimen, trial: _Trial) -> tuple[Power, str]:
        """Return what the cases tell apart, and a sentence on what is the formula for a subject that holds values."""
        seen = power(self._session, self._formula, trial.answered, trial.precision, trial.evaluation)
        fixed, missing = specimen.implementation.fixed, specimen.implementation.missing_gradients
        if not (fixed and seen.blind_to):
            return seen, ""
        drawn = self._session.cases(claim, self._formula, specimen.dtype, missing=missing)
        reference = (drawn, trial.precision, trial.evaluation)
        same = one_with(self._session, self._formula, seen.blind_to, trial.answered, *reference)
        if not same:
            return seen, ""
        held = ", ".join(f"{name}={value:g}" for name, value in fixed.items())
        blind_to = tuple(id for id in seen.blind_to if id not in same)
        return replace(seen, blind_to=blind_to), f"with {held} it is the same as {', '.join(same)}"

    def _deviating(
        self, record: CheckRecord, claim: Claim, specimen: Specimen, trial: _Trial, *, expected: bool
    ) -> CheckRecord:
        case, violation = min(trial.failures, key=lambda failure: failure[0].size)
        for failed, unrepeated in trial.failures:
            if isinstance(unrepeated, Unrepeated):
                found = counterexample(failed.inputs, unrepeated)
                return replace(record, status="flaky", message=str(unrepeated), counterexample=found)

        retrial = Retrial(claim, specimen, self._formula.programs[trial.evaluation], trial.precision)
        again = retrial.fails(case.inputs)
        if again is None and not self._formula.drawn:
            message = f"failed once, and not again with the same input: {violation}"
            found = counterexample(case.inputs, violation)
            return replace(record, status="flaky", message=message, counterexample=found)

        # What draws from a source that no seed reaches fails once and for all: honest draws would not have.
        inputs, violation = case.inputs, again or violation
        if again is not None and not expected:
            # One that pins an input and says no more than that concerns all of them.
            known = [entry for entry in known_deviations(specimen, claim) if entry.where or entry.inputs is None]

            def fails(inputs: Mapping[str, Any]) -> Violation | None:
                excused = any(entry.concerns(Case(inputs).runs) for entry in known)
                return None if excused else retrial.fails_alike(inputs)

            space = Space(self._formula, specimen.dtype, self._session.profile)
            inputs, violation = reduced(inputs, violation, fails, space, _REDUCTION_BUDGET)
        return replace(
            record,
            status="deviates",
            message=f"{violation} ({len(trial.failures)} of {trial.cases} cases deviate)",
            counterexample=counterexample(inputs, violation),
            diagnosis="" if expected else self._diagnosis(specimen, trial.precision),
        )

    def _cases(self, claim: Claim, specimen: Specimen, lot: int = 0) -> tuple[Case, ...]:
        implementation = specimen.implementation
        return self._session.cases(
            claim,
            self._formula,
            specimen.dtype,
            implementation.fixed,
            missing=implementation.missing_gradients,
            changes=implementation.changes,
            lot=lot,
        )

    def _diagnosis(self, specimen: Specimen, precision: Precision) -> str:
        differential = self._differential
        if differential is None:
            return f"no claim {FOLLOWS!r} to compare {self._formula.id} with its relatives by"
        cases = self._cases(differential, specimen)
        return self._session.once(
            ("diagnosis", specimen, precision),
            lambda: diagnose(self._session, differential, specimen, self._formula, cases, precision),
        )


def _printed(text: str) -> str:
    lines = text.splitlines()
    more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
    return f"printed {lines[0]!r}{more}"
