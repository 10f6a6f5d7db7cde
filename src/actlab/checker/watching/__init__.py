"""Watching a training: `actlab.watch` samples passes of a model and lets the rules judge them.

Data flows one way: `model_hooks` count passes and open `forward_sample`, which measures units as
the model runs; `sampled_pass` collects the gradients that arrive; `history` turns both into the
values of `statistics`; `deduplicated` hands these to the same rules as `actlab.check`, and warns;
`summary` is what they saw.
"""

from actlab.checker.watching.deduplicated import MisuseWarning
from actlab.checker.watching.summary import Summary
from actlab.checker.watching.watcher import Watch, WatchError, watch

__all__ = ["MisuseWarning", "Summary", "Watch", "WatchError", "watch"]
