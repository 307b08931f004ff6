"""An image cut into square patches, each of which becomes one vector of a sequence."""

from __future__ import annotations

from typing import Any, NamedTuple

from oracle.errors import ShapeError
from oracle.formula import Array

__all__ = ["PatchSequence", "patch_place", "patch_sequence", "patches", "reassembled"]


class PatchSequence(NamedTuple):
    """How long a sequence of patches is."""

    number: int  # patches, N
    length: int  # numbers in each
    total: int  # numbers in all of them


def patch_sequence(height: int, width: int, channels: int = 1, *, patch: int) -> PatchSequence:
    r"""Measure the sequence of an image: :math:`N = H W / P^2` vectors of length :math:`P^2 C`.

    Parameters
    ----------
    height, width, channels : int
        :math:`H`, :math:`W` and :math:`C`.
    patch : int
        :math:`P`, which divides height and width.

    Returns
    -------
    PatchSequence

    Raises
    ------
    ShapeError
        If a patch does not divide the image.

    Notes
    -----
    The documents ask for the size of the sequence, which may mean any of the three numbers.

    Examples
    --------
    >>> patch_sequence(6, 8, 3, patch=2)
    PatchSequence(number=12, length=12, total=144)
    """
    for name, size in (("height", height), ("width", width)):
        if patch < 1 or size % patch:
            raise ShapeError(f"patches must divide the {name}, got {name}={size} and patch={patch}")
    count, length = (height // patch) * (width // patch), patch**2 * channels
    return PatchSequence(count, length, count * length)


def patch_place(row: int, column: int, channel: int, *, width: int, channels: int, patch: int) -> tuple[int, int]:
    r"""Return where a number of an image goes: its patch, and its place in that patch.

    .. math::

        \left\lfloor \frac rP \right\rfloor \frac WP + \left\lfloor \frac cP \right\rfloor, \qquad
        \left((r \bmod P) P + (c \bmod P)\right) C + k

    Parameters
    ----------
    row, column, channel : int
        :math:`r`, :math:`c` and :math:`k`, from 0.
    width, channels, patch : int
        :math:`W`, :math:`C` and :math:`P`.

    Returns
    -------
    patch, place : int
        From 0; patches row by row, and so the numbers of a patch, channels last.

    Examples
    --------
    >>> patch_place(2, 5, 0, width=8, channels=3, patch=2)
    (6, 3)
    """
    which = (row // patch) * (width // patch) + column // patch
    return which, ((row % patch) * patch + column % patch) * channels + channel


def patches(image: Array, *, patch: int) -> Any:
    """Cut an image into patches.

    Parameters
    ----------
    image : array, shape (H, W, C)
    patch : int
        Side of a patch, which divides height and width.

    Returns
    -------
    array, shape (N, P * P * C)
        In the order of `patch_place`.

    Raises
    ------
    ShapeError
        If a patch does not divide the image.

    Examples
    --------
    >>> import numpy as np
    >>> patches(np.arange(8).reshape(2, 4, 1), patch=2).tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    height, width, channels = image.shape
    sequence = patch_sequence(height, width, channels, patch=patch)
    grid = image.reshape(height // patch, patch, width // patch, patch, channels)
    return grid.swapaxes(1, 2).reshape(sequence.number, sequence.length)


def reassembled(sequence: Array, *, height: int, width: int, patch: int) -> Any:
    """Put the patches of an image together again.

    Parameters
    ----------
    sequence : array, shape (N, P * P * C)
    height, width, patch : int

    Returns
    -------
    array, shape (H, W, C)

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(24).reshape(2, 4, 3)
    >>> bool((reassembled(patches(image, patch=2), height=2, width=4, patch=2) == image).all())
    True
    """
    grid = sequence.reshape(height // patch, width // patch, patch, patch, -1)
    return grid.swapaxes(1, 2).reshape(height, width, -1)
