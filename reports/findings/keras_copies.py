"""A deep copy of an optimizer of Keras begins anew: its averages and its count of updates are lost."""

import copy
import sys
import warnings

import keras
import numpy as np

warnings.simplefilter("ignore")  # Keras says that it skips the state
variable = keras.Variable(np.zeros(1, "float32"))
optimizer = keras.optimizers.Adam(0.5)
gradients = [keras.ops.ones(1)]
optimizer.apply(gradients, [variable])
copied, variables = copy.deepcopy((optimizer, [variable]))
optimizer.apply(gradients, [variable])
copied.apply(gradients, variables)
expected, got = int(optimizer.iterations), int(copied.iterations)
print(f"keras {keras.__version__} on {keras.backend.backend()}: one update, a deep copy, and one more of each")
print(f"expected: both have counted {expected}")
print(f"got: the copy has counted {got}")
if got == expected:
    sys.exit("the finding is gone")
