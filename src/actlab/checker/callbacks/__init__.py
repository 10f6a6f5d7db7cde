"""Callbacks that watch a training of Lightning's or of the Hugging Face Trainer's.

They are extras: `pip install "actlab[lightning]"`, `pip install "actlab[transformers]"`. Neither
library is imported before its callback is made.

    trainer = lightning.Trainer(callbacks=[lightning_watch()])
    trainer = transformers.Trainer(..., callbacks=[transformers_watch()])
"""

from actlab.checker.callbacks.of_lightning import lightning_watch
from actlab.checker.callbacks.of_transformers import transformers_watch
from actlab.errors import MissingExtraError

__all__ = ["MissingExtraError", "lightning_watch", "transformers_watch"]
