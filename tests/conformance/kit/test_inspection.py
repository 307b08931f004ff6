"""The kit for backends calls each vice of an adapter by its name, and lets honest ones pass."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from conformance import UsageError, assert_backend_conforms, run
from conformance.backends import Backend, Expectation, Implementation
from conformance.report import Report
from tests.helpers import adapters
from tests.helpers.adapters import HONEST

#: What each vice is worth: how the kit's words begin, and the status of the check whether it follows its formula. What
#: conforms there is told by the kit alone.
DESERTS: dict[str, tuple[str, str]] = {
    "offers what is not there": ("pickled, which is among its offers, but Momentum has no such method", "conforms"),
    "hides what is there": ("nothing of the method copied that Momentum has, but it must be among the factory's offers, or withheld", "conforms"),
    "writes to gradients": ("to leave the gradients that it is given alone, but wrote to number 0", "conforms"),
    "keeps parameters": ("to keep copies of its own, but when its parameters were overwritten, tensor 0", "conforms"),
    "keeps parameters, and writes elsewhere": ("to keep copies of its own, but when its parameters were overwritten, tensor 0", "conforms"),
    "keeps gradients": ("to keep copies of its own, but when its gradients were overwritten, tensor ", "conforms"),
    "keeps hyperparameters": ("to keep copies of its own, but when its hyperparameters were overwritten, tensor 0", "conforms"),
    "changes hyperparameters": ("to leave the hyperparameters that it is given alone, but made [{'learning_rate':", "conforms"),
    "shows its arrays": ("to keep copies of its own, but when its arrays that it returned were overwritten, tensor 0", "conforms"),
    "shares state": ("that a new subject starts anew and that the same inputs give the same results, but when they", "flaky"),
    "sees its neighbour": ("subjects that share nothing, but beside", "conforms"),
    "forgets": ("to remember from update to update, but the last update of tensor 0", "deviates"),
    "ignores momentum": ("to use momentum of group 0, but with another", "deviates"),
    "ignores what is set": ("to use learning_rate of group 0 as it is set before step 2, but with another value tensor 0", "deviates"),
    "sets for all": ("to use learning_rate of group 1 as it is set before step 2 there alone, but with another", "deviates"),
    "has one group": ("to use learning_rate of group 0 there alone, but", "deviates"),
    "rounds parameters": ("parameter 0 of the shapes (2,), (), ", "deviates"),
    "rounds gradients": ("to compute with all digits of float64 that it is given, but with other last digits tensor", "deviates"),
    "shows float32": ("parameter 0 of the shapes ", "deviates"),
    "shows lists": ("parameter 0 of the shapes ", "conforms"),
    "flattens": ("parameter 1 of the shapes ", "deviates"),
    "reverses": ("parameter 0 of the shapes ", "deviates"),
    "loses the last": ("an answer or Rejected, but failed: showed 2 parameters of 3", "crash"),
    "refuses scalars": ("to take parameters of the shapes (2,), (), (0,), (1,), (2, 3), (4, 3), (3, 2), (3, 4), or raise Rejected, but it failed: ValueError: no scalars", "crash"),
    "rejects all": ("an implementation of momentum_heavy_ball, but refused all that was drawn: not today", "mistrusted"),
    "misreads layouts": ("to read arrays whatever their layout, but of arrays that are transposed, tensor ", "deviates"),
    "shows more": ("the state momentum_buffer, but tensor 0 has velocity", "conforms"),
    "shows less": ("to show momentum_buffer, but no update has shown it", "mistrusted"),
    "shares with its copy": ("a subject that is copied and shares nothing with what comes of it, but tensor ", "conforms"),
    "takes missing gradients for zeros": ("whatever a training program does with an optimizer, in any order, each update is the formula's", "deviates"),
    "draws": ("that a new subject starts anew and that the same inputs give the same", "deviates"),
    "seeds": ("to leave alone what the whole process shares, but changed the random numbers of numpy", "conforms"),
    "sets numpy's errors": ("to leave alone what the whole process shares, but changed numpy's handling", "conforms"),
    "sets the environment": ("to leave alone what the whole process shares, but changed the environment", "conforms"),
    "leaves its folder": ("to leave alone what the whole process shares, but changed the working directory", "conforms"),
    "prints": ("to print nothing, but printed 'stepping'", "conforms"),
    "prints to errors": ("to print nothing, but printed 'careful'", "conforms"),
    "warns": ("to give no warnings, but warned: DeprecationWarning: old", "conforms"),
    "raises": ("an answer or Rejected, but failed: KeyError: 'lr'", "crash"),
    "exits": ("an answer or Rejected, but failed: SystemExit: 0", "crash"),
}
