"""Both passes of a small network."""

import numpy as np
import torch

from oracle.differentiation.losses import loss_cross_entropy_gradient
from oracle.differentiation.mlp import Layer, mlp_forward, mlp_forward_backward
from oracle.exact import exact

LAYERS = [
    Layer(np.array([[0.5, -1.0], [2.0, 0.25], [-1.5, 1.0]]), np.array([0.25, -0.5, 1.0])),
    Layer(np.array([[1.0, -0.5, 0.75], [-0.25, 1.5, 0.5]]), np.array([0.0, 0.125])),
]
X, LABELS = np.array([[1.0, 0.5], [-2.0, 3.0]]), np.array([1, 0])


def test_one_sample_as_worked_by_hand():
    hidden, output = mlp_forward(X[:1], LAYERS)

    assert hidden.tolist() == [[0.25, 1.625, 0.0]]
    assert output.tolist() == [[-0.5625, 2.5]]
    found = mlp_forward_backward(X[:1], LAYERS, np.ones_like).gradients
    assert found[1].bias.tolist() == [1.0, 1.0]
    assert found[1].weight.tolist() == [[0.25, 1.625, 0.0]] * 2
    assert found[0].bias.tolist() == [0.75, 1.0, 0.0]  # the third rectifier is at 0
    assert found[0].weight.tolist() == [[0.75, 0.375], [1.0, 0.5], [0.0, 0.0]]
    assert found[0].x.tolist() == [[2.375, -0.5]]


def test_autograd_agrees_on_a_classifier_up_to_its_rounding():
    def gradients(x, layers):
        return mlp_forward_backward(
            x, layers, lambda scores: loss_cross_entropy_gradient.body(scores, LABELS)
        ).gradients

    ours = exact(gradients, X, LAYERS)
    leaves = [torch.tensor(array, requires_grad=True) for layer in LAYERS for array in layer]
    functional = torch.nn.functional
    hidden = torch.relu(functional.linear(torch.tensor(X), leaves[0], leaves[1]))
    cost = functional.cross_entropy(functional.linear(hidden, leaves[2], leaves[3]), torch.tensor(LABELS))
    theirs = torch.autograd.grad(cost, leaves)

    expected = [ours[0].weight, ours[0].bias, ours[1].weight, ours[1].bias]
    for mine, other in zip(expected, theirs, strict=True):
        assert (np.abs(mine - other.numpy()) <= 64 * 2.0**-53 * np.max(np.abs(mine))).all()
