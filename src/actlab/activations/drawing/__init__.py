"""Plots of functions: sampled curves, marked kinks, HTML and image files."""
