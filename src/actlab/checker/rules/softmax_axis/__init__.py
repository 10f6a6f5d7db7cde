"""Rules about the axis of a softmax (ACT2xx)."""
