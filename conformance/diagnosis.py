"""What the code computes instead of the formula that it claims."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.bench import Bench
from conformance.session import Case, Session
from conformance.specimen import Specimen, SubjectFailure
from oracle.arithmetic.formats import FLOAT32, Precision
from oracle.dialects import relatives
from oracle.formula import Formula
from properties.claims import Claim, Violation
from properties.subject import Rejected

__all__ = ["diagnose"]

#: How many of several relatives that fit are named.
_NAMED = 3


def diagnose(
    session: Session, claim: Claim, specimen: Specimen, formula: Formula, cases: Sequence[Case], precision: Precision
) -> str:
    """Say in one line which other precision, evaluation or formula contains all that a subject showed.

    Parameters
    ----------
    session : Session
    claim : Claim
        The differential claim ``follows_the_formula``.
    specimen : Specimen
        Deviates from some claim about the formula.
    formula : Formula
        What it claims to compute.
    cases : sequence of Case
        The cases of that differential claim.
    precision : Precision
        The loosest precision model that it was judged in.
    """
    ordered = sorted(cases, key=lambda case: case.size)

    def within(candidate: Formula, model: Precision) -> int:
        return _cases_within(session, claim, specimen, candidate, ordered, model)

    accepted = formula.accepted(specimen.implementation.evaluation)
    if any(within(formula.programs[name], precision) for name in accepted):
        return f"its results follow {formula.id} within the bounds; only this property fails"

    if "" not in accepted and (count := within(formula, precision)):
        claimed = specimen.implementation.evaluation
        return f"this is {formula.id} as it is printed, which promises less than {claimed} ({_extent(count, ordered)})"

    narrow = precision.with_scalars(FLOAT32)
    if precision.scalars.bits > FLOAT32.bits and (count := within(formula, narrow)):
        return f"scalars in float32: {formula.id} computed so contains all results ({_extent(count, ordered)})"

    others = [name for name, other in formula.evaluations.items() if other.kind == "unstable" and name not in accepted]
    unstable = {name: within(formula.programs[name], precision) for name in others}
    if any(unstable.values()):
        name = max(unstable, key=unstable.__getitem__)  # of several, the one whose bounds say most
        told = formula.evaluations[name].description
        return f"this is {formula.id}, evaluated {name}: {told} ({_extent(unstable[name], ordered)})"

    kept = specimen.implementation.kept
    relations = session.once(("relatives", formula, tuple(kept.items())), lambda: relatives(formula, kept))
    fitting = [(other, count) for other in relations if (count := within(other, precision))]
    if not fitting:
        return f"none of the {len(relations)} relatives of {formula.id} that are known"
    first, count = fitting[0]
    if len(fitting) == 1:
        return f"this is {first.id}: {first.title} ({_extent(count, ordered)})"
    named = ", ".join(other.id for other, _ in fitting[:_NAMED])
    more = len(fitting) - _NAMED
    return f"this is one of {named}{f' and {more} more' if more > 0 else ''}, which these cases do not tell apart"


def _extent(count: int, cases: Sequence[Case]) -> str:
    judged = f"all {count} cases" if count == len(cases) else f"all {count} cases that can be judged, of {len(cases)},"
    return f"{judged} within bounds"


def _cases_within(
    session: Session, claim: Claim, specimen: Specimen, candidate: Formula, cases: Sequence[Case], precision: Precision
) -> int:
    """Count the cases with a bound, all of which contain what the subject showed; 0 if one does not."""
    count = 0
    for case in cases:
        bench = Bench(session, specimen, specimen.transcript(case), candidate, precision)
        try:
            claim.check(bench, **case.inputs)
        except Violation:
            return 0
        except (Rejected, SubjectFailure):
            continue  # the subject showed nothing here
        count += bench.tally.judged > 0
    return count
