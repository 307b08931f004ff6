"""Stacked convolutions: what they see, and how many weights they have."""

from __future__ import annotations

__all__ = ["convolution_weights", "receptive_field"]


def receptive_field(kernel: int, layers: int) -> int:
    r"""Side of the square that stacked convolutions of stride 1 see: :math:`n (k - 1) + 1`.

    Parameters
    ----------
    kernel : int
        :math:`k`, side of each kernel.
    layers : int
        :math:`n`.

    Examples
    --------
    >>> receptive_field(3, 2), receptive_field(3, 3)
    (5, 7)
    """
    return layers * (kernel - 1) + 1


def convolution_weights(kernel: int, channels: int, *, layers: int = 1, groups: int = 1) -> int:
    r"""Weights of convolutions that keep their channels, without biases: :math:`n k^2 C^2 / g`.

    Parameters
    ----------
    kernel, channels, layers : int
        :math:`k`, :math:`C` and :math:`n`.
    groups : int
        :math:`g`, of channels that see each other alone; depth-wise convolutions have as many as channels.

    Examples
    --------
    >>> convolution_weights(3, 64, layers=2), convolution_weights(5, 64)
    (73728, 102400)
    """
    return layers * kernel**2 * channels * (channels // groups)
