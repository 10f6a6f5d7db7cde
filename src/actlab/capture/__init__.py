"""Torch calls as they run: recorder, trace, frames, the autograd graph, restoring what ran."""
