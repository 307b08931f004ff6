"""PyTorch's functions: how each is called for a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.backends import Implementation
from conformance.backends.torch_curves import CURVES
from conformance.backends.torch_tensors import DTYPES, devices, to_floats, to_tensor
from properties.subject import Floats, Function, Rejected

__all__ = ["TensorFunction", "functions"]


@dataclass(frozen=True, eq=False)
class TensorFunction:
    """Makes functions of tensors: ``call(*tensors, **hyperparameters)`` returns one."""

    call: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the function for a dtype and a device.

        Its call raises Rejected where torch raises ValueError.
        """

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            tensors = [to_tensor(array, dtype=dtype, device=device) for array in arrays]
            try:
                return to_floats(self.call(*tensors, **hyperparameters))
            except ValueError as error:
                raise Rejected(f"ValueError: {error}") from error

        return function


def functions() -> Iterator[Implementation]:
    """All functions, one family after another."""
    yield from _normalizations()
    for formula, label, call in CURVES:
        yield _described(formula, label, call)


def _described(formula: str, label: str, call: Callable[..., Any], *capabilities: str) -> Implementation:
    return Implementation(formula, label, TensorFunction(call), DTYPES, devices(), capabilities=capabilities)


# -- Normalization: functions of a module each, so that an implementation can go to another process ------------------


def _layer_norm(x: Any, weight: Any, bias: Any, *, eps: float) -> Any:
    import torch

    return torch.nn.functional.layer_norm(x, x.shape[-1:], weight, bias, eps)


def _rms_norm(x: Any, weight: Any, *, eps: float) -> Any:
    import torch

    return torch.nn.functional.rms_norm(x, x.shape[-1:], weight, eps)


def _batch_norm(x: Any, weight: Any, bias: Any, *, eps: float) -> Any:
    import torch

    return torch.nn.functional.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def _as_positions(x: Any) -> Any:
    """Lay a batch out as one sample with many positions, which torch computes by another kernel."""
    return x.t().unsqueeze(0).contiguous()


def _batch_norm_of_positions(x: Any, weight: Any, bias: Any, *, eps: float) -> Any:
    return _batch_norm(_as_positions(x), weight, bias, eps=eps)[0].t()


@dataclass(frozen=True)
class _Gathered:
    """What ``batch_norm`` makes of its running mean (place 0) or variance (place 1)."""

    place: int
    positions: bool

    def __call__(self, x: Any, running: Any, *, momentum: float) -> Any:
        import torch

        statistics = [torch.zeros_like(running), torch.zeros_like(running)]
        statistics[self.place] = running
        batch = _as_positions(x) if self.positions else x
        torch.nn.functional.batch_norm(batch, *statistics, training=True, momentum=momentum)
        return running


def _normalizations() -> Iterator[Implementation]:
    mixed, place = "parameters of another dtype", "torch.nn.functional"
    yield _described("layer_norm", f"{place}.layer_norm", _layer_norm, "several axes", mixed)
    yield _described("rms_norm", f"{place}.rms_norm", _rms_norm, "several axes", mixed)
    yield _described("batch_norm", f"{place}.batch_norm:samples", _batch_norm, "inference", mixed)
    yield _described("batch_norm", f"{place}.batch_norm:positions", _batch_norm_of_positions, "inference", mixed)
    for number, formula in enumerate(("batch_norm_running_mean", "batch_norm_running_variance")):
        for path in ("samples", "positions"):
            yield _described(formula, f"{place}.batch_norm:{path}", _Gathered(number, path == "positions"), mixed)
