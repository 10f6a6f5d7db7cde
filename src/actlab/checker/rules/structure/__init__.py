"""Rules about the order and kind of the layers (ACT4xx)."""
