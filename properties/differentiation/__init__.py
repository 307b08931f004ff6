"""Claims about vector-Jacobian products and gradients."""
