"""Rules about units, gradients and outputs as they train (ACT5xx)."""
