"""Scikit-learn's log_loss and binary_log_loss clip probabilities: a sample that is far off costs too little."""

import sys

import numpy as np
from sklearn.neural_network._base import binary_log_loss, log_loss

gone = True
for dtype in ("float64", "float32"):
    probability = np.array([[2.0**-70]], dtype=dtype)
    expected = 70 * np.log(2.0)
    two = float(binary_log_loss(np.ones((1, 1), dtype=dtype), probability))
    several = float(log_loss(np.array([[1.0, 0.0]], dtype=dtype), np.hstack([probability, 1 - probability])))
    gone = gone and abs(two - expected) < 1e-3 and abs(several - expected) < 1e-3
    print(f"{dtype}: expected {expected:.4f}, got {two:.4f} of binary_log_loss and {several:.4f} of log_loss")

sys.exit(1 if gone else 0)
