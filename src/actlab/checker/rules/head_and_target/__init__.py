"""Rules about the output activation and the target that it must reach (ACT3xx)."""
