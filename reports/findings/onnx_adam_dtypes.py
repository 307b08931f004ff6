"""ONNX's reference Adam returns other dtypes than it is given: float32 for several tensors, float64 for one."""

import sys

import numpy as np
from onnx import ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator


def step(dtype, tensors):
    """Update tensors of ones once, with gradients of ones."""
    names = [f"{name}{number}" for name in "XGVH" for number in range(tensors)]
    node = helper.make_node(
        "Adam", ["R", "T", *names], [f"Y{name}" for name in names if name[0] != "G"], domain="ai.onnx.preview.training"
    )
    graph = helper.make_graph(
        [node], "adam", [ValueInfoProto(name=n) for n in node.input], [ValueInfoProto(name=n) for n in node.output]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(node.domain, 1)])
    inputs = {name: (np.ones if name[0] in "XG" else np.zeros)(2, dtype) for name in names}
    return ReferenceEvaluator(model).run(None, {"R": np.array(0.1, dtype), "T": np.array(1), **inputs})[0].dtype


gone = True
for dtype, tensors in ((np.float64, 2), (np.float32, 1)):
    expected, got = np.dtype(dtype), step(dtype, tensors)
    gone = gone and got == expected
    print(f"{tensors} of {expected}: expected {expected}, got {got}")

sys.exit(1 if gone else 0)
