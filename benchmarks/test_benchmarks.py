"""How long things take; within a group the first is ours and the second what it is measured against."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance import check, run
from oracle.arithmetic.formats import precision_models
from oracle.bound import bound
from oracle.catalogue import get
from oracle.exact import exact
from oracle.formula import initial_state
from tests.helpers.mp import MPArray, mp_exact

SIZE = 1000
HYPERPARAMETERS = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
ADAM = get("adam")


@pytest.fixture
def arrays() -> tuple[Any, Any]:
    """Parameters and gradients, exact in float32."""
    random = np.random.default_rng(0)
    return tuple(random.standard_normal(SIZE).astype(np.float32).astype(np.float64) for _ in range(2))


def step(arrays: tuple[Any, Any]) -> tuple[Any, ...]:
    """Arguments of Adam's first step."""
    return *arrays, initial_state(ADAM.state_type, np.zeros(SIZE))


@pytest.mark.benchmark(group="a run")
def test_run_torch_quick(benchmark: Any) -> None:
    report = benchmark.pedantic(run, args=("torch",), rounds=1)

    assert report.status != "harness-error"


@pytest.mark.benchmark(group="a run")
def test_check_one_optimizer(benchmark: Any) -> None:
    report = benchmark.pedantic(check, args=("torch.optim:AdamW", "adamw"), rounds=3)

    assert report.conforms


@pytest.mark.benchmark(group="a run")
def test_check_what_deviates(benchmark: Any) -> None:
    report = benchmark.pedantic(check, args=("torch.optim:Adam", "adamw"), rounds=3)

    assert report.status == "deviates"


@pytest.mark.benchmark(group=f"an exact step of {SIZE} elements")
def test_exact(benchmark: Any, arrays: tuple[Any, Any]) -> None:
    param, _ = benchmark(exact, ADAM, *step(arrays), **HYPERPARAMETERS)

    assert np.isfinite(param).all()


@pytest.mark.benchmark(group=f"an exact step of {SIZE} elements")
def test_mpmath(benchmark: Any, arrays: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MPArray.element_type.context, "prec", 128)  # where `exact` starts, and here ends too

    param, _ = benchmark(mp_exact, ADAM, *step(arrays), **HYPERPARAMETERS)

    assert np.isfinite(param).all()


@pytest.mark.benchmark(group=f"a bounded step of {SIZE} elements")
def test_bound(benchmark: Any, arrays: tuple[Any, Any]) -> None:
    enclosure, _ = benchmark(bound, ADAM, *arrays, precision=precision_models("float32")[0], **HYPERPARAMETERS)

    assert np.asarray(enclosure.bounded).all()


@pytest.mark.benchmark(group=f"a bounded step of {SIZE} elements")
def test_numpy(benchmark: Any, arrays: tuple[Any, Any]) -> None:
    param, _ = benchmark(ADAM, *step(arrays), **HYPERPARAMETERS)

    assert np.isfinite(param).all()
