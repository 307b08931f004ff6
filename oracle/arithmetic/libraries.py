"""How far library functions may be off: roundings charged for one call.

A result within n ulps of the exact one is charged 2n roundings, an ulp being at most twice the
unit roundoff of the result. Each number covers the worst that the sources state, or that was
measured, for glibc, CUDA, HIP, SLEEF (torch on CPU), oneMKL in its default mode and XLA on CPU;
fast-math modes, TPUs and SYCL are outside.

Sources: glibc ``libm-test-ulps`` and manual 19.7; CUDA C++ Programming Guide, mathematical
functions; HIP math API; SLEEF reference (u10); oneMKL VM accuracy (HA); JAX "numerical accuracy".
"""

from __future__ import annotations

__all__ = ["DIVISION", "ERF_ABSOLUTE", "FUNCTION_ROUNDINGS", "POWER", "SQUARE_ROOT"]

# A reciprocal and a product; CUDA, HIP and every CPU round each correctly.
DIVISION = 2

# oneMKL misrounds one float32 root in six, by up to 0.75 ulp; HIP states 1 ulp. With the division's
# two this also covers a reciprocal root that is 2 ulps off (CUDA rsqrt).
SQUARE_ROOT = 3

# pow of arrays: CUDA float32 states 4 ulps and a half.
POWER = 9

FUNCTION_ROUNDINGS = {
    "cos": 5,  # SLEEF u35 in AVX2 float32: 3.5 ulps, in the range where it is used 2.5
    "erf": 14,  # XLA float32: 7 ulps
    "exp": 6,  # numpy float32: 2.31 ulps, measured
    "log1p": 6,  # XLA float32: 3 ulps
    "log": 8,  # numpy float32: 3.05 ulps, measured; glibc libmvec 3
    "tanh": 14,  # XLA float64: 7 ulps
}

# A vectorised polynomial for erf is accurate to a multiple of the unit roundoff of 1, not of its result.
ERF_ABSOLUTE = 12
