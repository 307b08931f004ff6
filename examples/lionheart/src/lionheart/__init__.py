"""Lion, and a sibling that looks like it."""

from lionheart.hasty import HastyLion
from lionheart.optimizer import Lion

__all__ = ["HastyLion", "Lion"]
__version__ = "1.0"
