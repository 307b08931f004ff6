"""PyTorch's optimizers as `torch.compile` and ``differentiable=True`` compute them, on the CPU.

A tier of its own, as each shape, layout and dtype is compiled anew, for a second or more: what varies is the learning
rate, a tensor as compiled training programs have it, and the other hyperparameters are what a program would write down. What is
compiled is the kernel of an optimizer, for one tensor after another, as a vector if it has no gaps; that whole steps compile,
and what the compiler makes of several tensors at once, is not judged. Nor are derivatives of differentiable steps: it is the values that have to be
the same. A kernel that the compiler gives up fails, and is not computed without it.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.torch_optimizers import OptimizerFactory
from conformance.backends.torch_tensors import to_tensor
from conformance.records import FOLLOWS
from properties.cases import Step, Training
from properties.subject import Floats, Group, Stepper

__all__ = ["backend", "compiled_kernel"]

DTYPES = ("float64", "float32")
#: One alone, as each costs as much as the other.
COMPILED_DTYPES = ("float32",)
#: Values that tell each formula from its neighbours, and are rounded.
VALUES: Mapping[str, float] = {
    "momentum": 0.7,
    "beta1": 0.6,
    "beta2": 0.7,
    "alpha": 0.7,
    "eps": 0.01,
    "weight_decay": 0.3,
}
SPELLINGS: Mapping[str, str] = {
    "learning_rate": "lr",
    "momentum": "momentum",
    "beta1": "betas[0]",
    "beta2": "betas[1]",
    "alpha": "alpha",
    "eps": "eps",
    "weight_decay": "weight_decay",
}

SINGLE = Expectation(
    property=FOLLOWS,
    dtypes=("float64",),
    reason="Differentiable steps of Adam and AdamW compute the corrections, and epsilon with them, from the count of steps, "
    "which is a tensor of float32 whatever the parameters are; an epsilon that float32 has not becomes 0.",
    evidence="reports/findings/torch_single_corrections.py",
    versions="2.13.0",
)


def _stands_still(training: Training) -> bool:
    """Whether an update has a learning rate of 0."""
    return any(values["learning_rate"] == 0 for step in training.hyperparameters() for values in step)


FROZEN = Expectation(
    property=FOLLOWS,
    dtypes=("float32",),
    reason="Differentiable steps of Adam and AdamW divide by the learning rate: where it is 0, a parameter whose gradients "
    "were all 0 becomes NaN.",
    evidence="reports/findings/torch_frozen_differentiable.py",
    versions="2.13.0",
    where=_stands_still,
)
_CORRECTED = (
    FOLLOWS,
    "bias_correction",
    "first_step_ignores_betas",
    "step_bound_attained",
    "lone_gradient",
    "any_order",
)


def _known(held: Sequence[str]) -> tuple[Expectation, ...]:
    """Return the deviations of Adam or AdamW, with hyperparameters beside the learning rate."""
    decays = ("decay_law",) if "weight_decay" in held else ()
    values = {"learning_rate": 0.0, **{name: VALUES[name] for name in held}}
    rest = Step((np.zeros(1),))
    frozen = replace(FROZEN, inputs={"training": Training((np.zeros(1),), (Group((0,), values),), (rest, rest))})
    return (
        *(replace(SINGLE, property=name) for name in (*_CORRECTED, *decays)),
        *(replace(frozen, property=name) for name in (FOLLOWS, "lone_gradient", "any_order", *decays)),
        replace(frozen, property="zero_gradient_rests", dtypes=DTYPES),
    )


@functools.cache
def compiled_kernel(module: str, name: str) -> Callable[..., Any]:
    """Return a kernel, compiled for any sizes; once for all subjects, as it knows what it has compiled."""
    import torch

    kernel = getattr(importlib.import_module(module), name)
    compiled: Callable[..., Any] = torch.compile(kernel, dynamic=True, fullgraph=True)
    return compiled


def _one_by_one(compiled: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
    """Call a kernel, which takes lists of tensors and may put new ones into them, on one tensor after another.

    Tensors without gaps go in as vectors in the same memory, and none as a Parameter, whose size would be taken for
    a constant: there is then one compilation for all shapes.
    """
    lists = [each for each in arguments if isinstance(each, list) and each]
    for place, parameter in enumerate(arguments[0]):
        shape, present = parameter.shape, [each[place] for each in lists if each[place] is not None]
        alike = [tensor for tensor in present if tensor.shape == shape]
        flat = all(tensor.is_contiguous() for tensor in alike)
        single = [_bare(each[place : place + 1], shape, flat) if isinstance(each, list) else each for each in arguments]
        compiled(*single, **settings)
        for each, changed in zip(arguments, single, strict=True):
            if isinstance(each, list) and each and each[place] is None:
                each[place] = changed[0].view(shape)


def _bare(tensors: list[Any], shape: Any, flat: bool) -> list[Any]:
    """Return tensors that share memory with those given; those of a shape as vectors, where they can be."""
    bare = [None if tensor is None else tensor.detach() for tensor in tensors]
    return [tensor.view(-1) if flat and tensor is not None and tensor.shape == shape else tensor for tensor in bare]


@dataclass(frozen=True)
class _Compiled:
    """Makes optimizers of a class, whose kernel is compiled."""

    name: str
    module: str

    def __call__(self, params: Any, **keywords: Any) -> Any:
        """Make one."""
        import torch

        optimizer = getattr(torch.optim, self.name)(params, foreach=True, **keywords)
        optimizer.step = functools.partial(self.step, optimizer)
        return optimizer

    def step(self, optimizer: Any) -> None:
        """Update with tensors for learning rates, and without a way back to the interpreter."""
        import torch
        from torch._dynamo import config

        for group in optimizer.param_groups:
            group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float64)
        module, name = f"torch.optim.{self.module}", f"_multi_tensor_{self.module}"
        kernel = functools.partial(_one_by_one, compiled_kernel(module, name))
        limits = {"recompile_limit": 10**4, "accumulated_recompile_limit": 10**5, "fail_on_recompile_limit_hit": True}
        with config.patch(limits), patch(f"{module}.{name}", kernel):
            type(optimizer).step(optimizer)


@dataclass(frozen=True)
class _Differentiable:
    """Makes optimizers of a class, whose updates are recorded for autograd."""

    name: str

    def __call__(self, params: Any, **keywords: Any) -> Any:
        """Make one."""
        import torch

        optimizer = getattr(torch.optim, self.name)(params, differentiable=True, **keywords)
        optimizer.step = functools.partial(self.step, optimizer)
        return optimizer

    def step(self, optimizer: Any) -> None:
        """Update by gradients that want a derivative themselves, and leave those that were brought."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        given = [parameter.grad for parameter in parameters]
        for parameter, grad in zip(parameters, given, strict=True):
            parameter.grad = None if grad is None else grad.clone().requires_grad_()
        type(optimizer).step(optimizer)
        for parameter, grad in zip(parameters, given, strict=True):
            parameter.grad = grad
            if parameter.requires_grad:
                parameter.retain_grad()  # else torch warns of gradients that are no leaf's


@dataclass(frozen=True, eq=False)
class TensorFactory(OptimizerFactory):
    """Makes subjects whose parameters are no leaves of autograd's graph, which differentiable steps could not change."""

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Make an optimizer, as `OptimizerFactory` does."""
        place = {"dtype": dtype, "device": device}
        return self.made([to_tensor(param, **place) for param in params], groups, place)


#: Formula, class, module of its kernel, hyperparameters beside the learning rate, and other keyword arguments.
_JUDGED: tuple[tuple[str, str, str, tuple[str, ...], Mapping[str, Any]], ...] = (
    ("gd", "SGD", "sgd", (), {}),
    ("momentum_heavy_ball", "SGD", "sgd", ("momentum",), {}),
    ("adagrad", "Adagrad", "adagrad", ("eps",), {}),
    ("rmsprop", "RMSprop", "rmsprop", ("alpha", "eps"), {"capturable": True}),
    ("adam", "Adam", "adam", ("beta1", "beta2", "eps"), {"capturable": True}),
    ("adamw", "AdamW", "adam", ("beta1", "beta2", "eps", "weight_decay"), {"capturable": True}),
)


def _implementations() -> Iterator[Implementation]:
    for formula, name, module, held, constants in _JUDGED:
        spellings = {each: SPELLINGS[each] for each in ("learning_rate", *held)}
        yield Implementation(
            formula,
            f"torch.optim.{name}:compiled",
            OptimizerFactory(_Compiled(name, module), spellings, constants, offers=("grads", "places")),
            COMPILED_DTYPES,
            fixed={each: VALUES[each] for each in held},
        )
        plain = {key: value for key, value in constants.items() if key != "capturable"}
        yield Implementation(
            formula,
            f"torch.optim.{name}:differentiable",
            TensorFactory(_Differentiable(name), spellings, plain, offers=("grads", "places")),
            DTYPES,
            expected=_known(held) if module == "adam" else (),
        )


def backend() -> Backend:
    """Describe the installed torch.

    Returns
    -------
    Backend
        Two implementations for each formula: compiled, and differentiable.
    """
    import torch

    return Backend("torch-compiled", torch.__version__, tuple(_implementations()))
