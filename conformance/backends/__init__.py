"""Backends: the records through which a framework is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Backend", "Expectation", "Implementation"]


@dataclass(frozen=True)
class Expectation:
    """A known deviation: strict, so that a fix upstream is noticed.

    Parameters
    ----------
    property : str
        Name of the claim, such as ``follows_the_formula``.
    dtypes : tuple of str
        Where it is expected.
    reason : str
        What the implementation does, in one sentence.
    evidence : str
        Link, or how it was confirmed by hand.
    versions : str
        Versions of the framework it was seen in.
    outcome : {"deviates", "crash"}
        How it shows.
    where : callable, optional
        Whether it shows in a Training or a Call, every one if not given; the other inputs are judged as ever.
    without : callable, optional
        Returns what a Training or a Call that it concerns is without what brings it about: that is judged as ever, too.
    inputs : mapping of str to object, optional
        Keyword arguments of the claim's check in which it shows: a run judges them whatever it draws, and where it shows
        there no longer, or otherwise, the deviation excuses nothing.
    quantity : str
        What fails there; anything if empty.
    """

    property: str
    dtypes: tuple[str, ...]
    reason: str
    evidence: str
    versions: str
    outcome: Literal["deviates", "crash"] = "deviates"
    where: Callable[[Any], bool] | None = None
    without: Callable[[Any], Any] | None = None
    inputs: Mapping[str, Any] | None = None
    quantity: str = ""

    def concerns(self, runs: Sequence[Any]) -> bool:
        """Whether the deviation shows in one of a case's inputs."""
        return self.where is None or any(self.where(run) for run in runs)


@dataclass(frozen=True)
class Implementation:
    """One way in which a framework computes a formula.

    Parameters
    ----------
    formula : str
        Id of the formula it claims.
    label : str
        Name with its variant, such as ``torch.optim.AdamW:fused``.
    factory : StepperFactory or FunctionFactory
        As the formula's kind says.
    dtypes, devices : tuple of str
        What it declares to support.
    state : tuple of str
        The oracle's names of the state entries that its subjects expose; one that no case judges is not trusted.
    capabilities : tuple of str
        What else it declares (``sparse``, ``maximize`` ...): listed as not judged.
    expected : tuple of Expectation
        Known deviations.
    fixed : mapping of str to float
        Hyperparameters that its subjects cannot vary, by the oracle's names: they replace drawn values.
    kept : mapping of str to float
        Other hyperparameters of its family that it leaves at values of its own, not 0: a diagnosis reckons with them.
    missing_gradients : bool
        Whether the gradient of a parameter may be missing in an update; if not, its cases have zeros there.
    changes : bool
        Whether hyperparameters may change between updates; if not, its cases keep those that they begin with.
    matching : str
        How its names were matched with the formula's, in words; empty where a backend wrote them down.
    evaluation : str
        The unstable or strict evaluation of the formula that it claims, if it does, such as ``one_pass``.
    host : Host, optional
        Where its subjects live, if that is another interpreter; see `conformance.remote.host`.
    """

    formula: str
    label: str
    factory: Any
    dtypes: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    state: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    expected: tuple[Expectation, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    kept: Mapping[str, float] = field(default_factory=dict)
    missing_gradients: bool = True
    changes: bool = True
    matching: str = ""
    evaluation: str = ""
    host: Any = None

    @property
    def offers(self) -> tuple[str, ...]:
        """What claims may need of its subjects: methods of `properties.subject.Companion`, and missing gradients."""
        methods: tuple[str, ...] = getattr(self.factory, "offers", ())
        return (*methods, "missing_gradients") if self.missing_gradients else methods


@dataclass(frozen=True)
class Backend:
    """A framework.

    Parameters
    ----------
    name, version : str
    implementations : tuple of Implementation
    environment : callable
        Facts about the installation that a report keeps, as strings.
    unclaimed : tuple of Implementation
        Optimizers that claim no formula, so that nothing judges them: what they compute is for `convention_map` to tell.
    """

    name: str
    version: str
    implementations: tuple[Implementation, ...]
    environment: Callable[[], Mapping[str, str]] = field(default=dict)
    unclaimed: tuple[Implementation, ...] = ()
