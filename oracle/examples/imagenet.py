"""The documents' table of models of images, and the steps from one of them to another."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

__all__ = ["CONVNEXT_CHANGES", "CONVNEXT_GAINS", "IMAGENET", "VISION_TRANSFORMERS", "Model", "dominating", "pareto"]


class Model(NamedTuple):
    """One row: accuracy on ImageNet-1K, after ImageNet-22K, of images of 384 by 384."""

    name: str
    date: str  # year and month
    parameters: int  # in millions
    accuracy: Fraction  # in per cent

    @property
    def family(self) -> str:
        """The name without its size."""
        return self.name.partition("-")[0]


def _row(name: str, date: str, parameters: int, accuracy: str) -> Model:
    return Model(name, date, parameters, Fraction(accuracy))


#: The first table. The row of ResNet-101 does not fit the caption: its number is that of a training on ImageNet-1K.
VISION_TRANSFORMERS = (
    _row("ResNet-101", "2015-12", 45, "78.2"),
    _row("ViT-B/16", "2020-10", 87, "85.4"),
    _row("ViT-L/16", "2020-10", 305, "86.8"),
    _row("Swin-B", "2021-08", 88, "86.4"),
    _row("Swin-L", "2021-08", 197, "87.3"),
)

#: The second table.
IMAGENET = (
    *VISION_TRANSFORMERS,
    _row("ConvNeXt-T", "2022-03", 29, "82.9"),
    _row("ConvNeXt-S", "2022-03", 50, "85.8"),
    _row("ConvNeXt-B", "2022-03", 89, "86.8"),
    _row("ConvNeXt-L", "2022-03", 198, "87.5"),
    _row("ConvNeXt-XL", "2022-03", 350, "87.8"),
)

#: Points of accuracy that the documents list for steps on the way from ResNet to ConvNeXt; they omit other steps.
CONVNEXT_GAINS = {
    "training recipe": Fraction("2.7"),
    "one activation per block": Fraction("0.7"),
    "fewer normalization layers": Fraction("0.1"),
    "another normalization layer": Fraction("0.1"),
}

#: What they list as changed on that way without points of its own: before and after.
CONVNEXT_CHANGES = {"epochs": (90, 300), "batch": (256, 4096), "kernel": (3, 7)}


def dominating(model: Model, models: Iterable[Model]) -> tuple[Model, ...]:
    """Return the models that are no larger and no less accurate, and better in one of the two.

    Examples
    --------
    >>> [other.name for other in dominating(IMAGENET[0], IMAGENET)]
    ['ConvNeXt-T']
    """
    return tuple(
        other
        for other in models
        if other.parameters <= model.parameters
        and other.accuracy >= model.accuracy
        and (other.parameters, other.accuracy) != (model.parameters, model.accuracy)
    )


def pareto(models: Iterable[Model]) -> tuple[Model, ...]:
    """Return the models that none dominates, the smallest first.

    Examples
    --------
    >>> [model.name for model in pareto(IMAGENET)][:3]
    ['ConvNeXt-T', 'ConvNeXt-S', 'Swin-B']
    """
    models = tuple(models)
    best = (model for model in models if not dominating(model, models))
    return tuple(sorted(best, key=lambda model: model.parameters))
