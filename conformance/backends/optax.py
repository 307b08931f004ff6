"""Optax: its optimizers, its gradient clipping and its schedules, on JAX's default device."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from conformance.backends import Backend, Expectation, Implementation
from conformance.backends.jax_arrays import (
    DTYPES,
    environment,
    loaded_tree,
    precision_of,
    saved_tree,
    to_array,
    to_floats,
)
from conformance.records import FOLLOWS
from conformance.spellings import Spelled, write
from properties.subject import Floats, Function, Group, Rejected, Schedule, Stepper

__all__ = ["TransformationFactory", "backend", "optimizers"]

ADAM = {"learning_rate": "learning_rate", "beta1": "b1", "beta2": "b2", "eps": "eps"}
ADAM_STATE = {"exp_avg": "mu", "exp_avg_sq": "nu"}


@dataclass(eq=False)
class TransformationStepper:
    """A gradient transformation with its parameters and state; one for each group if there are several."""

    factory: TransformationFactory
    groups: list[Group]
    parameters: list[Any]
    state_tree: Any
    dtype: str

    def step(self, grads: Sequence[Floats | None]) -> None:
        """Transform the gradients, and apply the updates."""
        import optax

        with precision_of(self.dtype):
            given = [None if grad is None else to_array(grad, dtype=self.dtype) for grad in grads]
            transformation = self.factory.transformation(self.groups)
            updates, self.state_tree = transformation.update(given, self.state_tree, self.parameters)
            self.parameters = optax.apply_updates(self.parameters, updates)

    def params(self) -> list[Floats]:
        """Copies of the parameters."""
        return [to_floats(parameter) for parameter in self.parameters]

    def state(self) -> list[Mapping[str, Floats]]:
        """What the state holds of each parameter under the exposed names."""
        import optax

        entries: list[dict[str, Floats]] = [{} for _ in self.parameters]
        for name, spelling in self.factory.exposed.items():
            for _, trees in optax.tree_utils.tree_get_all_with_path(self.state_tree, spelling):
                for entry, leaf in zip(entries, trees, strict=True):
                    if hasattr(leaf, "dtype"):  # else masked: the parameter belongs to another group
                        entry[name] = to_floats(leaf)
        return list(entries)

    def set_hyperparameters(self, group: int, values: Mapping[str, float]) -> None:
        """Go on with the state of a transformation that is made with other values."""
        changed = {**self.groups[group].hyperparameters, **values}
        self.groups[group] = Group(self.groups[group].tensors, changed)

    def resumed(self) -> Stepper:
        """Put what is saved into the parameters and the state of a new transformation."""
        new = self.factory(self.params(), self.groups, dtype=self.dtype, device="cpu")
        new.rewound(self.saved())
        return new

    def saved(self) -> bytes:
        """Save the leaves of parameters and state."""
        return saved_tree((self.parameters, self.state_tree))

    def rewound(self, saved: bytes) -> None:
        """Put the leaves where those are that there are."""
        with precision_of(self.dtype):
            self.parameters, self.state_tree = loaded_tree(saved, like=(self.parameters, self.state_tree))

    def copied(self) -> Stepper:
        """Copy parameters and state."""
        return TransformationStepper(
            self.factory, list(self.groups), *copy.deepcopy((self.parameters, self.state_tree)), self.dtype
        )


@dataclass(frozen=True, eq=False)
class TransformationFactory:
    """Makes subjects of one function that makes gradient transformations.

    Parameters
    ----------
    constructor : callable
        Called with keyword arguments.
    spellings : mapping of str to str
        The keyword by the oracle's name.
    constants : mapping of str to object
        Other keyword arguments, the same for every subject.
    exposed : mapping of str to str
        Fields of the state by the oracle's names for what they hold.
    """

    offers: ClassVar[tuple[str, ...]] = ("resumed", "copied", "saved", "rewound")

    constructor: Callable[..., Any]
    spellings: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    exposed: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, params: Sequence[Floats], groups: Sequence[Group], *, dtype: str, device: str
    ) -> TransformationStepper:
        """Make a transformation and its first state.

        Raises
        ------
        Rejected
            If the constructor raises ValueError or TypeError.
        """
        del device  # JAX's default
        with precision_of(dtype):
            parameters = [to_array(param, dtype=dtype) for param in params]
            try:
                state = self.transformation(groups).init(parameters)
            except (ValueError, TypeError) as error:
                raise Rejected(f"{type(error).__name__}: {error}") from error
        own = [Group(group.tensors, dict(group.hyperparameters)) for group in groups]
        return TransformationStepper(self, own, parameters, state, dtype)

    def transformation(self, groups: Sequence[Group]) -> Any:
        """Make the transformation of the groups as they stand."""
        import jax
        import optax

        made = [self._of_group(group.hyperparameters) for group in groups]
        if len(made) == 1:
            return made[0]
        owners = {tensor: str(number) for number, group in enumerate(groups) for tensor in group.tensors}
        labels = [owners[tensor] for tensor in sorted(owners)]

        def labelled(tree: Any) -> Any:
            return jax.tree.unflatten(jax.tree.structure(tree), labels)

        return optax.partition({str(number): entry for number, entry in enumerate(made)}, labelled)

    def _of_group(self, values: Mapping[str, float]) -> Any:
        keywords = dict(self.constants)
        for name, value in values.items():
            if name in self.spellings:
                write(keywords, self.spellings[name], value)
        return self.constructor(**keywords)


@dataclass(frozen=True, eq=False)
class ClipFactory:
    """Makes functions that clip one gradient by a transformation, which is made of hyperparameters."""

    constructor: Callable[..., Any]

    def __call__(self, *, dtype: str, device: str) -> Function:
        """Return the clip for a dtype."""
        del device  # JAX's default

        def function(*arrays: Floats, **hyperparameters: float) -> Floats:
            with precision_of(dtype):
                grads = [to_array(grad, dtype=dtype) for grad in arrays]
                transformation = self.constructor(**hyperparameters)
                (clipped,), _ = transformation.update(grads, transformation.init(grads))
                return to_floats(clipped)

        return function


@dataclass(frozen=True, eq=False)
class ScheduleFactory:
    """Makes schedules of one function that makes them of hyperparameters."""

    constructor: Callable[..., Callable[[Any], Any]]
    lengths: tuple[str, ...] = ()

    def __call__(self, *, dtype: str, device: str) -> Schedule:
        """Return the schedule, called with the count of updates as optimizers have it."""
        del device  # JAX's default

        def schedule(steps: Floats, **hyperparameters: float) -> Floats:
            import jax.numpy as jnp

            values = {name: int(value) if name in self.lengths else value for name, value in hyperparameters.items()}
            with precision_of(dtype):
                rate = self.constructor(**values)
                return np.array([float(rate(jnp.asarray(int(step), jnp.int32))) for step in steps])

        return schedule


# -- What optax composes: functions of a module each, so that an implementation can go to another process ------------


def _momentum_ema(*, learning_rate: float, decay: float) -> Any:
    import optax

    return optax.chain(optax.ema(decay, debias=False), optax.scale_by_learning_rate(learning_rate))


def _sgd_l2(*, learning_rate: float, weight_decay: float) -> Any:
    import optax

    return optax.chain(optax.add_decayed_weights(weight_decay), optax.sgd(learning_rate))


def _adam_l2(*, weight_decay: float, **keywords: float) -> Any:
    import optax

    return optax.chain(optax.add_decayed_weights(weight_decay), optax.adam(**keywords))


def _weight_decay_unscaled(*, learning_rate: float, weight_decay: float) -> Any:
    import optax

    return optax.chain(optax.sgd(learning_rate), optax.add_decayed_weights(-weight_decay))


def _constant(*, init_value: float) -> Any:
    import optax

    return optax.constant_schedule(init_value)


def _cosine(*, peak_value: float, decay_steps: int) -> Any:
    import optax

    return optax.cosine_decay_schedule(peak_value, decay_steps, alpha=0.1)


def _warmup_and_decay(*, peak_value: float, end_value: float, warmup_steps: int, decay_steps: int) -> Any:
    import optax

    rise = optax.linear_schedule(0.0, peak_value, warmup_steps)
    return optax.join_schedules([rise, optax.linear_schedule(peak_value, end_value, decay_steps)], [warmup_steps])


def optimizers() -> Iterator[Implementation]:
    """Yield one implementation for each optimizer and formula."""
    import optax

    rate = {"learning_rate": "learning_rate"}
    heavy, velocity = {**rate, "momentum": "momentum"}, {"momentum_buffer": "trace"}
    decayed, decayed_adam = {**rate, "weight_decay": "weight_decay"}, {**ADAM, "weight_decay": "weight_decay"}
    squares, averages = {**rate, "eps": "eps"}, {**rate, "alpha": "decay", "eps": "eps"}
    for formula, label, constructor, spellings, exposed, constants in (
        ("gd", "sgd", optax.sgd, rate, {}, {}),
        ("momentum_heavy_ball", "sgd", optax.sgd, heavy, velocity, {}),
        ("momentum_nesterov", "sgd", optax.sgd, heavy, velocity, {"nesterov": True}),
        ("momentum_ema", "ema,sgd", _momentum_ema, {**rate, "momentum": "decay"}, {"momentum_buffer": "ema"}, {}),
        (
            "adagrad_eps_inside",
            "adagrad",
            optax.adagrad,
            squares,
            {"sum": "sum_of_squares"},
            {"initial_accumulator_value": 0.0},
        ),
        ("rmsprop_eps_inside", "rmsprop", optax.rmsprop, averages, {"square_avg": "nu"}, {}),
        ("rmsprop", "rmsprop", optax.rmsprop, averages, {"square_avg": "nu"}, {"eps_in_sqrt": False}),
        ("adam", "adam", optax.adam, ADAM, ADAM_STATE, {}),
        ("adamw", "adamw", optax.adamw, decayed_adam, ADAM_STATE, {}),
        ("lion", "lion", optax.lion, {**decayed, "beta1": "b1", "beta2": "b2"}, {"exp_avg": "mu"}, {}),
        ("sgd_l2", "add_decayed_weights,sgd", _sgd_l2, {**rate, "l2_penalty": "weight_decay"}, {}, {}),
        ("adam_l2", "add_decayed_weights,adam", _adam_l2, {**ADAM, "l2_penalty": "weight_decay"}, ADAM_STATE, {}),
        ("weight_decay_unscaled", "sgd,add_decayed_weights", _weight_decay_unscaled, decayed, {}, {}),
    ):
        yield Implementation(
            formula,
            f"optax.{label}",
            TransformationFactory(constructor, spellings, constants, exposed),
            DTYPES,
            state=tuple(exposed),
            missing_gradients=False,  # a tree of parameters has a tree of gradients
            capabilities=("jit", "masks", "injected hyperparameters", "accumulators of another dtype"),
        )


def _unclaimed() -> Iterator[Implementation]:
    """Optimizers and options that are no formula of the catalogue."""
    import optax

    rate, decay = {"learning_rate": "learning_rate"}, {"weight_decay": "weight_decay"}
    averages = {**rate, "alpha": "decay", "eps": "eps"}
    sums, square = {**rate, "eps": "eps", "initial_accumulator": "initial_accumulator_value"}, {"square_avg": "nu"}
    for label, constructor, spellings, exposed, constants in (
        ("adagrad", optax.adagrad, sums, {"sum": "sum_of_squares"}, {}),
        ("rmsprop", optax.rmsprop, {**averages, "momentum": "momentum"}, square, {}),
        ("rmsprop", optax.rmsprop, averages, square, {"centered": True}),
        ("rmsprop", optax.rmsprop, averages, square, {"bias_correction": True}),
        ("adamw", optax.adamw, {**ADAM, **decay}, ADAM_STATE, {"nesterov": True}),
        ("amsgrad", optax.amsgrad, ADAM, ADAM_STATE, {}),
    ):
        yield Implementation(
            "",
            f"optax.{label}",
            TransformationFactory(constructor, spellings, constants, exposed),
            DTYPES,
            state=tuple(exposed),
        )


def _in_single(property: str) -> Expectation:
    return Expectation(
        property=property,
        dtypes=("float64",),
        reason="optax.linear_schedule divides the int32 count by the number of steps, which JAX does in float32 also "
        "where jax_enable_x64 is set.",
        evidence="reports/findings/optax_linear_schedule_in_single.py: with jax_enable_x64, "
        "float(optax.linear_schedule(0.0, 1.0, 10)(jax.numpy.int32(1))) is 0.10000002384185791.",
        versions="0.2.8",
    )


def _clips() -> Iterator[Implementation]:
    import optax

    for formula, constructor, spellings in (
        ("clip_by_value", optax.clip, {"clip_value": "max_delta"}),
        ("clip_by_norm", optax.clip_by_global_norm, {"max_norm": "max_norm"}),
    ):
        yield Implementation(
            formula,
            f"optax.{constructor.__name__}",
            ClipFactory(Spelled(constructor, spellings)),
            DTYPES,
            capabilities=("jit", "several tensors"),
        )


def _schedules() -> Iterator[Implementation]:
    single = map(_in_single, (FOLLOWS, "levels_at_turns", "stays_between_levels", "steepest_step", "proportional_rise"))
    for formula, label, constructor, lengths, expected in (
        ("schedule_constant", "optax.constant_schedule", _constant, (), ()),
        ("schedule_cosine_to_10pct", "optax.cosine_decay_schedule", _cosine, ("decay_steps",), ()),
        (
            "schedule_linear_decay_warmup",
            "optax.join_schedules:linear_schedule,linear_schedule",
            _warmup_and_decay,
            ("warmup_steps", "decay_steps"),
            tuple(single),
        ),
    ):
        yield Implementation(
            formula,
            label,
            ScheduleFactory(constructor, lengths),
            ("float64", "float32"),
            capabilities=("jit",),
            expected=expected,
        )


def backend() -> Backend:
    """Describe the installed optax.

    Returns
    -------
    Backend
        Optimizers, clipping and schedules, called operation by operation.
    """
    import optax

    judged = (*optimizers(), *_clips(), *_schedules())
    return Backend("optax", optax.__version__, judged, environment, tuple(_unclaimed()))
