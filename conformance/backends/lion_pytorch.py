"""lion-pytorch: its three classes of Lion, on the CPU.

Not judged, for the catalogue has no such rule: the cautious updates that ``cautious_lion.Lion`` makes by default, its
cautious decay, and the decay by ``decoupled_weight_decay``, whose strength is the learning rate over that of the
construction. The Triton kernel needs a GPU.
"""

from __future__ import annotations

from conformance.backends import Backend
from conformance.backends.torch_addons import LION, addon, environment, raises_on_empty_groups, raises_when_copied

__all__ = ["backend"]

COPIED = raises_when_copied("decoupled_wd and _init_lr", "reports/findings/lion_pytorch_copies.py", "0.2.5")


def backend() -> Backend:
    """Describe the installed lion-pytorch.

    Returns
    -------
    Backend
        Lion as it is, by ``foreach``, and in the class that can be cautious, with a factor that makes it bold.
    """
    from importlib.metadata import version

    from lion_pytorch import Lion, cautious_lion, foreach

    empty = raises_on_empty_groups("reports/findings/lion_pytorch_foreach_empty_group.py", "0.2.5")
    bold = "lion_pytorch.cautious_lion.Lion:cautious_factor=1"
    return Backend(
        "lion-pytorch",
        version("lion-pytorch"),
        (
            addon("lion", "lion_pytorch.Lion", Lion, LION, ("exp_avg",), COPIED),
            addon("lion", "lion_pytorch.foreach.Lion", foreach.Lion, LION, ("exp_avg",), (*empty, *COPIED)),
            addon("lion", bold, cautious_lion.Lion, LION, ("exp_avg",), COPIED, {"cautious_factor": 1.0}),
        ),
        environment,
    )
