"""Derivatives: what comes back through a layer, the gradients of losses, and their composition."""
