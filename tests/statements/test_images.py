"""What the documents state about patches, convolutions, and the table of models of images."""

from __future__ import annotations

import itertools
from fractions import Fraction as F

import numpy as np
import pytest
import sympy

from oracle.errors import ShapeError
from oracle.examples.imagenet import (
    CONVNEXT_CHANGES,
    CONVNEXT_GAINS,
    IMAGENET,
    VISION_TRANSFORMERS,
    Model,
    dominating,
    pareto,
)
from oracle.patches.convolutions import convolution_weights, receptive_field
from oracle.patches.images import PatchSequence, patch_place, patch_sequence, patches, reassembled
from tests.helpers.statements import statement

SIZES = [(6, 8, 3, 2), (6, 8, 1, 2), (4, 4, 2, 4), (3, 5, 2, 1), (9, 6, 1, 3)]


def image_of(height, width, channels):
    return np.arange(height * width * channels).reshape(height, width, channels)


@statement(
    "vit_patches",
    "vit_patches.P1",
    "D071",
    false={"the number of tokens alone": {"asked": PatchSequence(12, 12, 12)}, "channels forgotten": {"channels": 1}},
)
def test_an_image_of_6_by_8_with_three_channels_is_12_vectors_of_12_numbers(
    asked=PatchSequence(12, 12, 144), channels=3
):
    assert patch_sequence(6, 8, channels, patch=2) == asked
    # The exercise's own numbers coincide; with one channel they do not.
    assert patch_sequence(6, 8, patch=2) == PatchSequence(12, 4, 48)
    for height, width, depth, side in SIZES:
        count, length, total = patch_sequence(height, width, depth, patch=side)
        assert (count * side**2, length, total) == (height * width, side**2 * depth, height * width * depth)
    with pytest.raises(ShapeError, match="patches must divide the width, got width=9 and patch=2"):
        patch_sequence(6, 9, patch=2)
    # What does not divide is cut off first, or filled up.
    image = image_of(7, 8, channels)
    cropped, filled = image[:6, :6], np.pad(image, ((0, 2), (0, 1), (0, 0)))
    assert [len(patches(each, patch=3)) for each in (cropped, filled)] == [(7 // 3) * (8 // 3), 3 * 3]


@statement("vit_patches.P2", false={"a patch left out": {"cut": lambda image, patch: patches(image, patch=patch)[1:]}})
def test_patches_are_a_permutation_of_the_image(cut=patches):
    for height, width, channels, side in SIZES:
        image = image_of(height, width, channels)
        sequence = cut(image, patch=side)
        assert sorted(sequence.ravel().tolist()) == image.ravel().tolist()
        assert (reassembled(sequence, height=height, width=width, patch=side) == image).all()


@statement(
    "vit_patches.C1",
    "vit_patches.P4",
    false={
        "rows of the image": {"cut": lambda image, patch: image.reshape(-1, patch**2 * image.shape[2])},
        "columns first": {"cut": lambda image, patch: patches(image.swapaxes(0, 1), patch=patch)},
    },
)
def test_a_patch_holds_the_pixels_of_a_square(cut=patches):
    for height, width, channels, side in SIZES:
        sequence = cut(image_of(height, width, channels), patch=side)
        for place in itertools.product(range(height), range(width), range(channels)):
            which, where = patch_place(*place, width=width, channels=channels, patch=side)
            value = (place[0] * width + place[1]) * channels + place[2]
            assert sequence[which, where] == value
        # Locality: two pixels of a patch are less than its side apart, in rows and in columns.
        for line in sequence:
            rows, columns = np.divmod(np.asarray(line) // channels, width)
            assert max(np.ptp(rows), np.ptp(columns)) < side


@statement("vit_patches.P3", false={"channels first": {"length": lambda h, w, c: h * w}})
def test_the_smallest_patches_are_pixels_and_the_largest_the_image(length=lambda h, w, c: h * w * c):
    for side, channels in ((4, 3), (5, 2)):
        assert patch_sequence(side, side, channels, patch=1)[:2] == (side * side, channels)
        assert patch_sequence(side, side, channels, patch=side)[:2] == (1, length(side, side, channels))


@statement("vit_patches.P5", false={"a half": {"share": 2}, "other images": {"side": 256}})
def test_twice_the_patch_is_a_quarter_of_the_tokens(share=4, side=224):
    for patch in (2, 4, 8):
        assert (
            patch_sequence(384, 384, 3, patch=patch).number
            == share * patch_sequence(384, 384, 3, patch=2 * patch).number
        )
    assert patch_sequence(384, 384, 3, patch=16)[:2] == (576, 768)
    assert patch_sequence(side, side, 3, patch=16).number == 196


@statement("vit_patches.P6", false={"the exercise's own": {"channels": 3}})
def test_sizes_that_tell_tokens_from_their_length(channels=1):
    count, length, _ = patch_sequence(6, 8, channels, patch=2)

    assert (count, length) == (12, 4 * channels)
    assert count != length
    assert patches(image_of(6, 8, channels), patch=2).shape == (count, length)


# -- The table of models ---------------------------------------------------------------------------------------------


#: The rows as they are printed: model, date, millions of parameters, per cent.
PRINTED = (
    ("ResNet-101", "2015-12", 45, "78.2"),
    ("ViT-B/16", "2020-10", 87, "85.4"),
    ("ViT-L/16", "2020-10", 305, "86.8"),
    ("Swin-B", "2021-08", 88, "86.4"),
    ("Swin-L", "2021-08", 197, "87.3"),
    ("ConvNeXt-T", "2022-03", 29, "82.9"),
    ("ConvNeXt-S", "2022-03", 50, "85.8"),
    ("ConvNeXt-B", "2022-03", 89, "86.8"),
    ("ConvNeXt-L", "2022-03", 198, "87.5"),
    ("ConvNeXt-XL", "2022-03", 350, "87.8"),
)


def named(*names):
    return [next(model for model in IMAGENET if model.name == name) for name in names]


@statement(
    "imagenet_table",
    "imagenet_table.P1",
    "imagenet_table.P2",
    false={
        "a row exchanged": {"models": (*IMAGENET[1:], IMAGENET[0])},
        "a first table of its own": {"first": VISION_TRANSFORMERS[1:]},
        "another size in both": {"models": (IMAGENET[0]._replace(parameters=44), *IMAGENET[1:])},
        "a larger one that is worse": {"more": (Model("ConvNeXt-XXL", "2022-03", 700, F("87.8")),)},
    },
)
def test_the_second_table_continues_the_first_and_larger_ones_of_a_family_are_better(
    models=IMAGENET, first=VISION_TRANSFORMERS, more=()
):
    printed = tuple(Model(name, date, parameters, F(accuracy)) for name, date, parameters, accuracy in PRINTED)
    assert models == printed
    assert first == printed[:5]
    models = (*models, *more)
    for one, other in itertools.permutations(models, 2):
        if one.family == other.family and one.parameters > other.parameters:
            assert one.accuracy > other.accuracy


@statement("imagenet_table.P3", false={"a tenth more": {"gaps": ((F("0.5"), F(1)), (F("0.2"), F("0.5")))}})
def test_at_one_size_convnext_is_ahead_of_swin_and_swin_of_vit(gaps=((F("0.4"), F(1)), (F("0.2"), F("0.5")))):
    for size, (to_swin, to_vit) in zip("BL", gaps, strict=True):
        convnext, swin, vit = named(f"ConvNeXt-{size}", f"Swin-{size}", f"ViT-{size}/16")
        assert convnext.accuracy - swin.accuracy == to_swin
        assert swin.accuracy - vit.accuracy == to_vit
        assert abs(convnext.parameters - swin.parameters) == 1


FRONT = ("ConvNeXt-T", "ConvNeXt-S", "Swin-B", "ConvNeXt-B", "Swin-L", "ConvNeXt-L", "ConvNeXt-XL")


@statement("imagenet_table.P4", false={"with ViT": {"front": (*FRONT[:3], "ViT-B/16", *FRONT[3:])}})
def test_the_models_that_none_dominates(front=FRONT):
    assert tuple(model.name for model in pareto(IMAGENET)) == front
    dominated = {"ResNet-101": "ConvNeXt-T", "ViT-B/16": "ConvNeXt-S", "ViT-L/16": "ConvNeXt-B"}
    for name, by in dominated.items():
        (model,) = named(name)
        assert by in {other.name for other in dominating(model, IMAGENET)}
    assert len(dominated) + len(front) == len(IMAGENET)
    tied = named("ViT-L/16", "ConvNeXt-B")
    assert tied[0].accuracy == tied[1].accuracy


@statement("D072", false={"another row": {"place": 1}})
def test_the_one_row_outside_the_caption_is_by_five_years_the_oldest(place=0):
    row = IMAGENET[place]
    others = [model for model in IMAGENET if model != row]

    # The caption's other models are all from 2020 on and all above 82 %.
    assert row.date < "2016"
    assert row.accuracy == F("78.2")
    assert all(model.date >= "2020" and model.accuracy > 82 for model in others)


@statement(
    "convnext_training_deltas",
    "convnext_training_deltas.P1",
    "D073",
    false={
        "one step for the norms": {"steps": 1},
        "a batch of 2048": {"changes": {**CONVNEXT_CHANGES, "batch": (256, 2048)}},
        "a gain for every step": {"gains": {**CONVNEXT_GAINS, "larger kernel": F(0)}},
    },
)
def test_the_listed_gains_of_convnext_add_up_to_3_6_points(steps=2, changes=CONVNEXT_CHANGES, gains=CONVNEXT_GAINS):
    before, after = changes["batch"]
    norms = [gain for name, gain in gains.items() if "normalization" in name]

    assert sum(gains.values()) == F("3.6")
    assert norms == [F("0.1")] * steps
    assert F(after, before) == 16
    # Not all: the larger kernel is a step of the same list, without points.
    assert "kernel" in changes
    assert not any("kernel" in name for name in gains)


@statement("convnext_training_deltas.P2", false={"from 5": {"kernels": (5, 7)}, "dense": {"grouped": False}})
def test_a_larger_kernel_costs_five_times_the_weights(kernels=CONVNEXT_CHANGES["kernel"], grouped=True):
    small, large = kernels
    channels = 96
    dense = [convolution_weights(kernel, channels) for kernel in (large, small)]
    deep = [convolution_weights(kernel, channels, groups=channels if grouped else 1) for kernel in (large, small)]

    assert F(dense[0], dense[1]) == F(49, 9)
    assert deep == [49 * channels, 9 * channels]


# -- Convolutions ----------------------------------------------------------------------------------------------------


def seen(kernel, layers):
    """How wide a row of ones becomes that is convolved with itself."""
    field = np.ones(1, dtype=int)
    for _ in range(layers):
        field = np.convolve(field, np.ones(kernel, dtype=int))
    return field.size


@statement(
    "stacked_small_convolutions",
    "stacked_small_convolutions.P1",
    false={"without the overlap": {"field": lambda k, n: n * k}, "one more": {"field": lambda k, n: n * (k - 1) + 2}},
)
def test_stacked_convolutions_see_what_a_large_one_sees(field=receptive_field):
    for kernel, layers in itertools.product((1, 2, 3, 5, 7), range(5)):
        assert field(kernel, layers) == seen(kernel, layers)
    assert (field(3, 2), field(3, 3)) == (5, 7)


@statement(
    "stacked_small_convolutions.P2", false={"more layers": {"layers": (3, 6)}, "a smaller one": {"large": (3, 5)}}
)
def test_small_convolutions_have_fewer_weights(layers=(2, 3), large=(5, 7)):
    for channels in (1, 3, 64):
        small = [convolution_weights(3, channels, layers=count) for count in layers]
        assert [weights // channels**2 for weights in small] == [18, 27]
        assert all(a < b for a, b in zip(small, (convolution_weights(k, channels) for k in large), strict=True))


@statement(
    "stacked_small_convolutions.P3",
    false={
        "two small ones": {"places": [(0, 0), (2, 0), (0, 2), (2, 2)]},
        "two with roots of 2": {"places": [(0, 0), (4, 4)]},
        "within three by three": {"places": [(0, 0), (2, 0), (0, 2)]},
    },
)
def test_not_every_kernel_of_5_by_5_is_two_of_3_by_3(places=((0, 0), (4, 0), (0, 4))):
    # Stacked kernels are multiplied as polynomials of two variables, of degree 2 in each.
    x, y, z = sympy.symbols("x y z")
    degree = max(i + j for i, j in places)
    curve = sum(x**i * y**j * z ** (degree - i - j) for i, j in places)
    slopes = [sympy.diff(curve, variable) for variable in (x, y, z)]

    # Two factors that are no constants would make curves that meet, where all slopes vanish; these do at 0 alone.
    assert sympy.groebner(slopes, x, y, z).is_zero_dimensional
    # And a constant factor leaves the other one with too high a degree.
    assert sympy.degree(curve, x) > 2
    assert receptive_field(3, 2) == 5
    assert convolution_weights(3, 1, layers=2) == 18 < convolution_weights(5, 1) == 25
