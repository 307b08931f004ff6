"""PyTorch: the optimizers of ``torch.optim`` and gradient clipping, on the CPU and on CUDA."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.torch_dropout import dropouts
from conformance.backends.torch_functions import functions
from conformance.backends.torch_schedules import schedules
from conformance.backends.torch_tensors import DTYPES, devices, to_floats, to_tensor
from conformance.records import FOLLOWS
from conformance.spellings import matched, write
from properties.cases import Training
from properties.subject import Closure, Floats, Function, Group, Rejected, Stepper

__all__ = ["OFFERED_BY_ALL", "OFFERED_BY_TORCH", "OptimizerFactory", "backend", "devices", "to_floats", "to_tensor"]

HALF = ("bfloat16", "float16")

PATHS: Mapping[str, Mapping[str, bool]] = {
    "loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}
ADAM = {"learning_rate": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
ADAM_STATE = ("exp_avg", "exp_avg_sq")

#: What a training program may do with every optimizer that is written for torch.
OFFERED_BY_ALL = ("resumed", "copied", "add_group", "freeze", "step_accumulated", "step_clipped", "grads")
#: And with torch's own. Others need not pickle, often take a closure and do not look at it, and climb in all groups alike.
OFFERED_BY_TORCH = (*OFFERED_BY_ALL, "pickled", "step_closure", "maximize")


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
            before, parameter.grad = parameter.grad, None if grad is None else to_tensor(grad, **self.place)
            kept = grad is not None and before is not None and not before.is_sparse
            if kept and before.stride() == parameter.grad.stride():
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
                torch.autograd.backward([parameter], [to_tensor(grad, **self.place)])
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
            parameter.grad = None if grad is None else to_tensor(grad, **self.place).to_sparse()
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

        saved = io.BytesIO()
        torch.save(self.optimizer.state_dict(), saved)
        saved.seek(0)
        parameters = [torch.nn.Parameter(parameter.detach().clone()) for parameter in self.parameters]
        stepper = self.factory.made(parameters, self.groups, self.place)
        stepper.optimizer.load_state_dict(torch.load(saved, weights_only=False))
        return stepper

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


@dataclass(frozen=True, eq=False)
class ClipFactory:
    """Makes functions that clip the gradient of one parameter in place."""

    clip: Callable[..., Any]
    foreach: bool

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the clip for a dtype and a device."""
        import torch

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            (grad,) = arrays
            parameter = torch.nn.Parameter(to_tensor(np.zeros_like(grad), dtype=dtype, device=device))
            parameter.grad = to_tensor(grad, dtype=dtype, device=device)
            self.clip([parameter], foreach=self.foreach, **hyperparameters)
            return to_floats(parameter.grad)

        return function


def _strides_differ(training: Training) -> bool:
    """Whether a tensor has gaps, or another layout than its gradient."""
    return any(
        grad is not None and not (param.flags.c_contiguous and grad.flags.c_contiguous)
        for step in training.steps
        for param, grad in zip(training.params, step.grads, strict=True)
    )


def _has_momentum(training: Training) -> bool:
    return any(group.hyperparameters.get("momentum") for group in training.groups)


def _starts_late(training: Training) -> bool:
    """Whether a tensor of a group with momentum receives its first gradient after another, and beside it."""
    for group in training.groups:
        started: set[int] = set()
        for step in training.steps:
            present = {tensor for tensor in group.tensors if step.grads[tensor] is not None}
            if group.hyperparameters.get("momentum") and present & started and present - started:
                return True
            started |= present
    return False


def _fills_a_vector(training: Training) -> bool:
    return any(param.size >= 16 for param in training.params)


LATE = Expectation(
    property="missing_gradient_is_no_step",
    dtypes=DTYPES,
    reason="Fused SGD with momentum raises TypeError when a parameter receives its first gradient after another of its "
    "group: buffers are made for all or for none.",
    evidence="By hand: of two parameters in SGD(lr=1, momentum=0.5, fused=True) give only the first a gradient in step "
    "1, and both in step 2; foreach and loop run.",
    versions="2.13.0",
    outcome="crash",
    where=_has_momentum,
)
UNTOUCHED = Expectation(
    property="permutation",
    dtypes=HALF,
    reason="The fused SGD kernel for the CPU computes whole vector blocks of half precision parameters and does not "
    "store them: only the elements after the last whole block change.",
    evidence="https://github.com/pytorch/pytorch/issues/191763; by hand: torch.optim.SGD([ones(17)], lr=0.5, "
    "fused=True) and a gradient of ones leave 16 of 17 elements at 1 in bfloat16 and float16.",
    versions="2.12.1, 2.13.0",
    where=_fills_a_vector,
)
STRIDES_IGNORED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="The fused kernels for the CPU read and write memory in its order whatever the strides: they mistake the "
    "elements of a parameter with gaps, and of a gradient laid out otherwise than its parameter.",
    evidence="By hand: p = Parameter(arange(8.)[::2]), torch.optim.SGD([p], lr=1, fused=True) and a gradient of ones "
    "turn [0, 2, 4, 6] into [-1, 1, 4, 6]; fused=False gives [-1, 1, 3, 5].",
    versions="2.13.0",
    where=_strides_differ,
)
STRIDES_REFUSED = Expectation(
    property=FOLLOWS,
    dtypes=DTYPES,
    reason="The fused kernels for CUDA raise RuntimeError for a parameter with gaps, and for a gradient laid out "
    "otherwise than its parameter.",
    evidence="https://github.com/pytorch/pytorch/issues/106951",
    versions="1.13.0",
    outcome="crash",
    where=_strides_differ,
)


GRADIENT_ADVANCED = Expectation(
    property="gradients_are_kept",
    dtypes=DTYPES,
    reason="The foreach path of SGD with Nesterov momentum adds the velocity to the gradients where they are kept; "
    "loop and fused leave them.",
    evidence="By hand: of Parameter(zeros(2)) with a gradient of ones, SGD(lr=1, momentum=0.5, nesterov=True, "
    "foreach=True) leaves a gradient of 1.5. https://github.com/pytorch/pytorch/pull/92706 means to rule it out.",
    versions="2.13.0",
)


def _expected(formula: str, name: str, path: str, device: str) -> tuple[Expectation, ...]:
    """Return the known deviations of a class, path and device; what comes first explains a case."""
    if formula == "momentum_nesterov" and path == "foreach":
        return (GRADIENT_ADVANCED,)
    if path != "fused":
        return ()
    known = (STRIDES_IGNORED,) if device == "cpu" else (STRIDES_REFUSED,)
    if name != "SGD":
        return known
    late = (LATE, *(replace(LATE, property=claim, where=_starts_late) for claim in (FOLLOWS, "any_order")))
    untouched = (UNTOUCHED, replace(UNTOUCHED, property=FOLLOWS)) if device == "cpu" else ()
    return (*late, *untouched, *known)


def _optimizers(
    formula: str,
    constructor: Callable[..., Any],
    spellings: Mapping[str, str],
    exposed: tuple[str, ...] = (),
    **constants: Any,
) -> Iterator[Implementation]:
    """One implementation for each path and device."""
    name = constructor.__name__
    capabilities: tuple[str, ...] = ("differentiable", "complex", "tensor learning rate")
    # Velocities and penalties cannot mix sparse gradients with dense ones.
    sparse = formula in ("gd", "adagrad")
    capabilities += ("amsgrad", "capturable") if name != "SGD" else () if sparse else ("sparse gradients",)
    offered = inspect.signature(constructor).parameters
    for path, flags in PATHS.items():
        keywords = {flag: value for flag, value in flags.items() if flag in offered}
        if not any(keywords.values()) and path != "loop":
            continue  # RMSprop has no fused kernel
        offers = (*OFFERED_BY_TORCH, "step_sparse") if sparse and path != "fused" else OFFERED_BY_TORCH
        for device in devices():
            if name == "Adagrad" and path == "fused" and device == "cuda":
                continue  # it has one for the CPU only
            yield Implementation(
                formula=formula,
                label=f"torch.optim.{name}:{path}",
                factory=OptimizerFactory(constructor, spellings, {**constants, **keywords}, exposed, offers),
                dtypes=DTYPES,
                devices=(device,),
                state=exposed,
                capabilities=capabilities,
                expected=_expected(formula, name, path, device),
            )


def _implementations() -> Iterator[Implementation]:
    import torch

    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    lr, momentum = {"learning_rate": "lr"}, {"learning_rate": "lr", "momentum": "momentum"}
    adagrad, rmsprop = torch.optim.Adagrad, torch.optim.RMSprop
    buffer = ("momentum_buffer",)
    yield from _optimizers("gd", sgd, lr)
    yield from _optimizers("momentum_heavy_ball", sgd, momentum, buffer, dampening=0.0)
    yield from _optimizers("momentum_torch_dampening", sgd, {**momentum, "dampening": "dampening"}, buffer)
    yield from _optimizers("momentum_nesterov", sgd, momentum, buffer, nesterov=True)
    yield from _optimizers("sgd_l2", sgd, {**lr, "l2_penalty": "weight_decay"})
    yield from _optimizers("adagrad", adagrad, {**lr, "eps": "eps"}, ("sum",))
    yield from _optimizers("rmsprop", rmsprop, {**lr, "alpha": "alpha", "eps": "eps"}, ("square_avg",))
    yield from _optimizers("adam", adam, ADAM, ADAM_STATE)
    yield from _optimizers("adam_l2", adam, {**ADAM, "l2_penalty": "weight_decay"}, ADAM_STATE)
    decoupled = {**ADAM, "weight_decay": "weight_decay"}
    yield from _optimizers("adamw", adamw, decoupled, ADAM_STATE)
    if "decoupled_weight_decay" in adam([torch.zeros(0)]).defaults:  # from 2.7 on
        yield from _optimizers("adamw", adam, decoupled, ADAM_STATE, decoupled_weight_decay=True)
    for formula, clip in (
        ("clip_by_value", torch.nn.utils.clip_grad_value_),
        ("clip_by_norm_torch", torch.nn.utils.clip_grad_norm_),
    ):
        for path in ("loop", "foreach"):
            label = f"torch.nn.utils.{clip.__name__}:{path}"
            yield Implementation(
                formula=formula,
                label=label,
                factory=ClipFactory(clip, path == "foreach"),
                dtypes=DTYPES,
                devices=devices(),
                capabilities=("several tensors",),
            )
    yield from dropouts()
    yield from functions()
    yield from schedules()


def _environment() -> dict[str, str]:
    import torch

    facts = {"torch": torch.__version__, "cpu": torch.backends.cpu.get_cpu_capability()}
    facts["threads"] = str(torch.get_num_threads())
    if torch.cuda.is_available():
        facts |= {"cuda": str(torch.version.cuda), "gpu": torch.cuda.get_device_name()}
    return facts


def backend() -> Backend:
    """Describe the installed torch.

    Returns
    -------
    Backend
        One implementation for each formula, class, path (loop, foreach, fused) and reachable device.
    """
    import torch

    return Backend("torch", torch.__version__, tuple(_implementations()), _environment)
