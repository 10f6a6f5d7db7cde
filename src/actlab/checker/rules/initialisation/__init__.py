"""Rules about initial weights and parameters of activations (ACT6xx)."""
