"""Functions of torch by the formula that they compute; a module of their own, whose functions take tensors."""

from __future__ import annotations

import torch

__all__ = ["TORCH"]

functional = torch.nn.functional


def clipped(grad, max_norm):
    parameter = torch.nn.Parameter(torch.zeros_like(grad))
    parameter.grad = grad.clone()
    torch.nn.utils.clip_grad_norm_([parameter], max_norm)
    return parameter.grad


TORCH = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "silu_hard": functional.hardswish,
    "relu_leaky": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x, -1),
    "layer_norm": lambda x, weight, bias, eps=1e-5: functional.layer_norm(x, x.shape[-1:], weight, bias, eps),
    "rms_norm": lambda x, weight, eps: functional.rms_norm(x, x.shape[-1:], weight, eps),
    "batch_norm": lambda x, w, b, eps: functional.batch_norm(x, None, None, w, b, training=True, eps=eps),
    "loss_cross_entropy": functional.cross_entropy,
    "loss_mse": functional.mse_loss,
    "loss_bce": functional.binary_cross_entropy,
    "bce_with_logits": functional.binary_cross_entropy_with_logits,
    "loss_l1": lambda p, y: functional.l1_loss(p, y, reduction="sum"),
    "clip_by_norm_torch": clipped,
    "clip_by_value": lambda grad, threshold: grad.clamp(-threshold, threshold),
    "relu_vjp": lambda x, v: torch.autograd.functional.vjp(torch.relu, x, v)[1],
}
