"""Rules about what a loss receives (ACT1xx)."""
