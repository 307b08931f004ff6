"""Reports made by hand, with every status that a check can have."""

from __future__ import annotations

from typing import Any

from conformance.records import STATUSES, CheckRecord, Status
from conformance.report import Report

__all__ = ["check_record", "deviation", "every_status", "report_of"]


def check_record(status: Status = "conforms", **changes: Any) -> CheckRecord:
    """A record of torch's Adam; ``changes`` replace fields, and the id follows them."""
    fields: dict[str, Any] = {
        "formula": "adam",
        "property": "follows_the_formula",
        "implementation": "torch.optim.Adam",
        "dtype": "float32",
        "device": "cpu",
        "status": status,
        "precision": "compute float32, scalars float64",
        "error_over_bound": 0.75,
        "ulps": 1.5,
        "cases": 40,
        "judged": 4321,
        "separated": ("adam_eps_hat", "adam_l2"),
        "ranges": {"learning_rate": [0.001, 10.0], "steps": [1.0, 12.0]},
        "reproduce": "exactstep run torch -k adam.follows_the_formula --seed 0",
        **changes,
    }
    fields["id"] = "{formula}.{property}@{implementation}[{dtype},{device}]".format(**fields)
    return CheckRecord(**fields)


def deviation(**changes: Any) -> CheckRecord:
    """A record of a deviation, with a counterexample as the engine keeps it."""
    counterexample = {
        "inputs": {
            "training": {
                "params": [[(0.5).hex()]],
                "groups": [{"tensors": [0], "hyperparameters": {"learning_rate": (0.1).hex()}}],
                "steps": [{"grads": [[(1.0).hex()]], "changes": {}}, {"grads": [None], "changes": {}}],
            }
        },
        "quantity": "param",
        "step": 2,
        "tensor": 0,
        "index": 3,
        "low": (0.4).hex(),
        "high": (0.41).hex(),
        "observed": (0.45).hex(),
        "error_over_bound": (9.0).hex(),
        "ulps": (1234.0).hex(),
    }
    return check_record(
        **{
            "status": "deviates",
            "counterexample": counterexample,
            "message": "param of tensor 0 after step 2, element 3, is 0.45 (3 of 40 cases deviate)",
            "diagnosis": "this is adam_eps_hat: the epsilon of the paper's cheaper order (all 40 cases within bounds)",
            "error_over_bound": 9.0,
            "ulps": 1234.0,
            **changes,
        },
    )


def every_status() -> Report:
    """A report with one check of each status, each of its own implementation."""
    return report_of(*(check_record(status, implementation=f"lib.{status}", message="Why.") for status in STATUSES))


def report_of(*records: CheckRecord, **changes: Any) -> Report:
    """A report of records."""
    fields: dict[str, Any] = {
        "target": "torch 2.13.0",
        "seed": 7,
        "profile": "quick",
        "environment": {"torch": "2.13.0", "python": "3.11.7"},
        "not_judged": {"adam@torch.optim.Adam": ("maximize", "sparse")},
        "checks": records,
        **changes,
    }
    return Report(**fields)
