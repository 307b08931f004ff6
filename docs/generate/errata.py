"""Where the documents depart from what is established, or leave open what a formula needs."""

from __future__ import annotations

from docs.generate.coverage import covers
from docs.generate.markdown import anchor, link, page, prose, sentence, table
from oracle.statements import Discrepancy, Register

__all__ = ["errata"]

_INTRODUCTION = """\
# Errata and ambiguities of the documents

Where a document prints something else than what is established, or leaves open what a formula needs. Each has the
reading that Exactstep takes, the smallest example or the proof that tells the two apart, and the test that shows it:
nobody has to take our word."""

_OTHERS = "Typography, naming, references and losses of a conversion. Nothing that is computed depends on them."


def errata(register: Register) -> str:
    """Return the page."""
    mathematical = [line for line in register.discrepancies if line.mathematical]
    others = [line for line in register.discrepancies if not line.mathematical]
    return page(
        _INTRODUCTION,
        f"{len(mathematical)} change what is computed; {link(f'{len(others)} others', anchor('others'))} do not.",
        table(["", "what"], ((link(line.id, anchor(line.id)), prose(line.says)) for line in mathematical)),
        *map(_erratum, mathematical),
        "## Others",
        _OTHERS,
        "\n".join(f"- **{line.id}**: {sentence(line.says)} *{covers(line)}*" for line in others),
    )


def _erratum(line: Discrepancy) -> str:
    return f"""\
### {line.id}

{sentence(line.says)}

- **Printed:** {prose(line.printed)}
- **Established:** {prose(line.established)}
- **Reading taken:** {prose(line.reading)}
- **Told apart by:** {prose(line.counterexample)}
- **Shown by:** {covers(line)}"""
