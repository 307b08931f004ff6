"""The search drops no dialect that an honest program speaks, in whatever order it computes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from conformance.identification.probes import probes
from conformance.identification.search import Search
from conformance.session import Session
from oracle.arithmetic.formats import FLOAT64, Precision
from oracle.dialects import LATTICES
from oracle.dialects.lattice import Dialect
from tests.helpers.programs.judge import draw_form, train
from tests.helpers.programs.kit import Kit

STRICT = Precision(FLOAT64, FLOAT64, FLOAT64)
NAMED = [(lattice, formula) for lattice in LATTICES.values() for formula in lattice.family.named]


def pool_for(lattice, formula):
    """The probes of a target that offers what the formula takes."""
    spelled = {"l2_penalty": "weight_decay"}
    names = {spelled.get(name, name) for name in formula.hyperparameters}
    varied = [name for name in lattice.hyperparameters if name in names]
    return probes({}, varied, {}, 0)


def asked_of(formula, form):
    """Run an honest program, which takes the hyperparameters by the formula's names."""

    def ask(probe):
        rows = [{**row, "l2_penalty": row.get("weight_decay")} for (row,) in probe.training.hyperparameters()]
        training = SimpleNamespace(
            param=probe.training.params[0],
            grads=[step.grads[0] for step in probe.training.steps],
            hyperparameters=[{name: row[name] for name in formula.hyperparameters} for row in rows],
        )
        shown = train(Kit(STRICT), form, formula.id, training)
        return None if shown is None else [param for param, _ in shown]

    return ask


@pytest.mark.parametrize(("lattice", "formula"), NAMED, ids=[formula.id for _, formula in NAMED])
@pytest.mark.parametrize("spanned", [False, True], ids=["own body", "body of the family"])
def test_no_honest_program_is_dropped(lattice, formula, spanned, draws):
    pool = pool_for(lattice, formula)
    dialect = Dialect(lattice, lattice.family.named[formula])
    if spanned:  # what judges points without a name, whatever is 0
        dialect.__dict__.update(named=None, settled=lambda _: dialect)
    session, random, answered = Session("quick", 0), np.random.default_rng(0), 0
    for _ in range(draws(6, 400)):
        form = draw_form(random, formula.id)
        finding = Search(session, STRICT, asked_of(formula, form)).run([dialect], pool)
        answered += len(finding.used)

        assert finding.dropped == {}, (form, str(*finding.dropped.values()))
    assert answered
