"""Torch optimizers as subjects: made, stepped, saved, copied, and shown."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.backends.torch_tensors import to_floats, to_tensor
from conformance.spellings import matched, write
from properties.subject import Closure, Floats, Group, Place, Rejected, Stepper

__all__ = ["OFFERED_BY_ALL", "OFFERED_BY_TORCH", "OptimizerFactory", "OptimizerStepper"]

#: What a training program may do with every optimizer that is written for torch.
OFFERED_BY_ALL = (
    *("resumed", "copied", "saved", "rewound", "add_group", "freeze", "grads", "places"),
    *("step_accumulated", "step_clipped"),
)
#: And with torch's own. Others need not pickle, often take a closure and do not look at it, and climb in all groups alike.
OFFERED_BY_TORCH = (*OFFERED_BY_ALL, "pickled", "step_closure", "maximize")


@dataclass(frozen=True, eq=False)
class Saved:
    """A state dict as a file holds it, and the parameters of that moment."""

    file: bytes
    params: list[Any]

    def state(self) -> Any:
        """Read the state dict."""
        import torch

        return torch.load(io.BytesIO(self.file), weights_only=False)


@dataclass(eq=False)
class OptimizerStepper:
    """A torch optimizer with its parameters."""

    optimizer: Any
    parameters: list[Any]
    factory: OptimizerFactory
    groups: list[Group]
    place: Mapping[str, str]

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Bring the gradients, in the memory of those before as training does, and let the optimizer step once."""
        self.bring(grads)
        self.optimizer.step()

    def bring(self, grads: Sequence[Floats | None]) -> None:
        """Bring the gradients, in the memory of those before if they are laid out alike."""
        for parameter, grad in zip(self.parameters, grads, strict=True):
            before, parameter.grad = parameter.grad, None if grad is None else _slope(parameter, grad)
            if grad is not None and before is not None and _layout(before) == _layout(parameter.grad):
                parameter.grad = before.copy_(parameter.grad)

    def step_accumulated(self, passes: Sequence[Sequence[Floats | None]]) -> None:
        """Let autograd add up the gradients of several backward passes, and the optimizer step once."""
        import torch

        self.optimizer.zero_grad()
        for grads in passes:
            given = [
                (parameter, grad) for parameter, grad in zip(self.parameters, grads, strict=True) if grad is not None
            ]
            for parameter, grad in given:
                torch.autograd.backward([parameter], [_slope(parameter, grad)])
        self.optimizer.step()

    def step_closure(self, closure: Closure) -> float | None:
        """Call ``step(closure)``."""
        import torch

        def evaluate() -> Any:
            loss, grads = closure()
            self.bring(grads)
            return torch.tensor(loss)

        returned = self.optimizer.step(evaluate)
        return None if returned is None else float(returned)

    def step_clipped(self, grads: Sequence[Floats | None], limit: float) -> None:
        """Call ``clip_grad_value_`` before the step."""
        import torch

        self.bring(grads)
        torch.nn.utils.clip_grad_value_(self.parameters, limit)
        self.optimizer.step()

    def step_sparse(self, grads: Sequence[Floats | None]) -> None:
        """Give the gradients as sparse tensors."""
        for parameter, grad in zip(self.parameters, grads, strict=True):
            parameter.grad = None if grad is None else _slope(parameter, grad).to_sparse()
        self.optimizer.step()

    def freeze(self, tensors: Sequence[int]) -> None:
        """Set ``requires_grad``."""
        for tensor, parameter in enumerate(self.parameters):
            parameter.requires_grad_(tensor not in tensors)

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [to_floats(parameter) for parameter in self.parameters]

    def state(self) -> list[Mapping[str, Floats]]:
        """What ``optimizer.state`` holds under the exposed names; nothing before the first update."""
        entries = [self.optimizer.state.get(parameter, {}) for parameter in self.parameters]
        return [
            {name: to_floats(entry[name]) for name in self.factory.exposed if entry.get(name) is not None}
            for entry in entries
        ]

    def grads(self) -> list[Floats | None]:
        """Copies of the gradients."""
        grads = (parameter.grad for parameter in self.parameters)
        return [None if grad is None else to_floats(grad.to_dense()) for grad in grads]

    def places(self) -> list[Place]:
        """What the parameters say of themselves."""
        return [
            Place(_dtype(parameter), parameter.device.type, tuple(parameter.shape)) for parameter in self.parameters
        ]

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Edit the optimizer's parameter group in place, as a scheduler does."""
        entries, defaults = self.optimizer.param_groups[group], self.optimizer.defaults
        for name, value in values.items():
            spelling = self.factory.spellings.get(name)
            if spelling is None:
                continue  # fixed: the constructor does not offer it
            if spelling.partition("[")[0] not in defaults:  # groups may spell it otherwise than the constructor
                spelling = matched([name], defaults).get(name, spelling)
            write(entries, spelling, value)

    def resumed(self) -> Stepper:
        """Save ``state_dict()`` to a file, and load it into a new optimizer."""
        import torch

        saved = self.saved()
        stepper = self.factory.made([torch.nn.Parameter(value) for value in saved.params], self.groups, self.place)
        stepper.optimizer.load_state_dict(saved.state())
        return stepper

    def saved(self) -> Saved:
        """Save ``state_dict()`` to a file, and copies of the parameters."""
        import torch

        file = io.BytesIO()
        torch.save(self.optimizer.state_dict(), file)
        return Saved(file.getvalue(), [parameter.detach().clone() for parameter in self.parameters])

    def rewound(self, saved: Saved) -> None:
        """Load both into the optimizer that is there, and the parameters that it holds."""
        import torch

        with torch.no_grad():
            for parameter, value in zip(self.parameters, saved.params, strict=True):
                parameter.copy_(value)
        self.optimizer.load_state_dict(saved.state())

    def copied(self) -> Stepper:
        """Copy the optimizer and its parameters together, as ``copy.deepcopy`` of a training program does."""
        optimizer, parameters = copy.deepcopy((self.optimizer, self.parameters))
        return OptimizerStepper(optimizer, parameters, self.factory, list(self.groups), self.place)

    def pickled(self) -> Stepper:
        """Pickle the optimizer and its parameters together."""
        optimizer, parameters = pickle.loads(pickle.dumps((self.optimizer, self.parameters)))
        return OptimizerStepper(optimizer, parameters, self.factory, list(self.groups), self.place)

    def add_group(self, params: Sequence[Floats], group: Group) -> None:
        """Call ``add_param_group``."""
        import torch

        added = [torch.nn.Parameter(to_tensor(param, **self.place)) for param in params]
        self.parameters += added
        self.groups.append(group)
        self.optimizer.add_param_group({"params": added, **self.factory.options(group)})
        self.rename(len(self.groups) - 1)

    def rename(self, group: int) -> None:
        """Set the hyperparameters that groups spell otherwise than the constructor."""
        values = {
            name: value
            for name, value in self.groups[group].hyperparameters.items()
            if self.factory.spellings.get(name, "").partition("[")[0] not in self.optimizer.defaults
        }
        self.set_hyperparameters(group, values)


def _dtype(parameter: Any) -> str:
    return str(parameter.dtype).removeprefix("torch.")


def _layout(tensor: Any) -> tuple[Any, ...]:
    return tensor.dtype, tensor.device, None if tensor.is_sparse else tensor.stride()


def _slope(parameter: Any, grad: Floats) -> Any:
    """Return a gradient as autograd gives it: in the dtype and on the device that the parameter has by now."""
    return to_tensor(grad, dtype=_dtype(parameter), device=parameter.device)


@dataclass(frozen=True, eq=False)
class OptimizerFactory:
    """Makes subjects of one torch optimizer class.

    Parameters
    ----------
    constructor : callable
        Called with parameter groups and keyword arguments.
    spellings : mapping of str to str
        The constructor's keyword by the oracle's name; see `conformance.spellings`.
    constants : mapping of str to object
        Other keyword arguments, the same for every subject.
    exposed : tuple of str
        State entries that mean what the oracle's entries of the same names mean.
    offers : tuple of str
        What training programs may do with its optimizers; see `properties.subject.Companion`.
    """

    constructor: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    exposed: tuple[str, ...] = ()
    offers: tuple[str, ...] = OFFERED_BY_ALL

    @property
    def withheld(self) -> tuple[str, ...]:
        """What a stepper could be asked for, but its optimizer is not offered for."""
        return tuple(name for name in (*OFFERED_BY_TORCH, "step_sparse") if name not in self.offers)

    def __call__(self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str) -> Stepper:
        """Make an optimizer.

        Raises
        ------
        Rejected
            If the constructor raises ValueError or TypeError.
        """
        import torch

        place = {"dtype": dtype, "device": device}
        return self.made([torch.nn.Parameter(to_tensor(param, **place)) for param in params], groups, place)

    def made(self, parameters: list[Any], groups: Sequence[Group], place: Mapping[str, str]) -> OptimizerStepper:
        """Make an optimizer of torch parameters.

        Raises
        ------
        Rejected
            If the constructor raises ValueError or TypeError.
        """
        entries = [
            {"params": [parameters[tensor] for tensor in group.tensors], **self.options(group)} for group in groups
        ]
        try:
            optimizer = self.constructor(entries, **{**self.constants, **self.keywords(groups[0].hyperparameters)})
        except (ValueError, TypeError) as error:
            raise Rejected(f"{type(error).__name__}: {error}") from error
        if hasattr(optimizer, "train"):
            optimizer.train()  # what averages iterates has two modes, as modules have, and updates in this one
        stepper = OptimizerStepper(optimizer, parameters, self, list(groups), place)
        for number in range(len(groups)):
            stepper.rename(number)
        return stepper

    def options(self, group: Group) -> dict[str, Any]:
        """Return the options of a group."""
        return self.keywords(group.hyperparameters) | ({"maximize": True} if group.maximize else {})

    def keywords(self, values: Mapping[str, float]) -> dict[str, Any]:
        """Return keyword arguments of the constructor for hyperparameters by the oracle's names."""
        sequences = {spelling.partition("[")[0] for spelling in self.spellings.values() if "[" in spelling}
        keywords = {name: self.constants.get(name, (0.0, 0.0)) for name in sequences}
        for name, value in values.items():
            if name in self.spellings:
                write(keywords, self.spellings[name], value)
        return keywords
