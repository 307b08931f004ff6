"""ONNX's reference Gelu of float64 uses an erf that is rounded to float32, and the constants of float32."""

import math
import sys

import numpy as np
from onnx import ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator

x, gone = 1.0, True
for approximate, expected in (
    ("none", 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    ("tanh", 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
):
    node = helper.make_node("Gelu", ["X"], ["Y"], approximate=approximate)
    graph = helper.make_graph([node], "gelu", [ValueInfoProto(name="X")], [ValueInfoProto(name="Y")])
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]))
    got = float(evaluator.run(None, {"X": np.array([x])})[0][0])
    gone = gone and abs(got - expected) <= 1e-12
    print(f"Gelu({x}), approximate={approximate}: expected {expected!r}, got {got!r}")

sys.exit(1 if gone else 0)
