"""Numbers on their way into tinygrad and back, and what its device CPU needs: a compiler."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from conformance.errors import UsageError
from properties.subject import Floats

__all__ = ["DTYPES", "compiler", "environment", "on_the_cpu", "to_floats", "to_tensor"]

DTYPES = ("float64", "float32", "bfloat16", "float16")


@cache
def compiler() -> Mapping[str, str]:
    """Return what the environment must say besides: where clang is, if that is inside of the package ziglang.

    Raises
    ------
    UsageError
        If there is none.
    """
    if "CC" in os.environ or shutil.which("clang"):
        return {}
    package = find_spec("ziglang")
    if package is None or package.origin is None:
        raise UsageError(
            "tinygrad compiles for the CPU with clang: it must be on PATH, or named by CC, or inside of the package "
            "ziglang, got none of them"
        )
    return {
        "CC": str(Path(__file__).with_name("zig_clang.sh")),
        "EXACTSTEP_ZIG": str(Path(package.origin).with_name("zig")),
    }


@contextmanager
def on_the_cpu(dtype: str, *, training: bool = True) -> Iterator[None]:
    """Let tinygrad compute on the CPU by code that this process compiles, and of which nothing is kept on disk.

    Parameters
    ----------
    dtype : str
        That of numbers which say none, if it is float64; else that is float32, as tinygrad comes.
    training : bool
        Whether layers do what they do in training.

    Raises
    ------
    UsageError
        As `compiler`.
    """
    from tinygrad.helpers import Context

    default = "float64" if dtype == "float64" else "float32"
    chosen = Context(DEV="CPU:CLANG", TRAINING=int(training), DEFAULT_FLOAT=default, CACHELEVEL=0, PARALLEL=0)
    with patch.dict(os.environ, compiler()), chosen:
        yield


def to_tensor(values: Floats, *, dtype: str) -> Any:
    """Copy to a tensor; of an array without axes tinygrad would make a constant, which Python computes with."""
    from tinygrad import Tensor, dtypes

    numbers = np.array(values, dtype="float32" if dtype == "bfloat16" else dtype)
    tensor = Tensor(np.atleast_1d(numbers), dtype=getattr(dtypes, dtype))
    return (tensor if numbers.ndim else tensor.reshape(()).contiguous()).realize()


def to_floats(tensor: Any) -> Floats:
    """Compute in the tensor's dtype, and copy to a float64 array; what is read at once is rounded otherwise."""
    return np.array(tensor.realize().numpy(), dtype=np.float64)


def environment() -> dict[str, str]:
    """Say what tinygrad computes on."""
    return {"device": "CPU, by clang"}
