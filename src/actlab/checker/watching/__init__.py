"""Watching a training: `actlab.watch` samples passes of a model and lets the rules judge them.

Data flows one way: `taps` count passes and open `listening`, which measures units as the model
runs; `passes` collect the gradients that arrive; `ledger` turns both into the values of `dynamics`;
`sightings` hands these to the same rules as `actlab.check`, and warns; `tables` make the `summary`.
"""

from actlab.checker.watching.deduplicated import MisuseWarning
from actlab.checker.watching.summary import Summary
from actlab.checker.watching.watcher import Watch, WatchError, watch

__all__ = ["MisuseWarning", "Summary", "Watch", "WatchError", "watch"]
