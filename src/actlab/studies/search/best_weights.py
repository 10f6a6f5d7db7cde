"""The best trial's weights, and whose they are.

A kill between a record and its weights leaves the weights of an earlier trial; the owner's name
beside them tells, and the trial is trained again (the same seeds give the same weights).
"""

import hashlib
import json
from concurrent.futures import Executor

from actlab.errors import RunFolderError
from actlab.files import write_bytes
from actlab.i18n import _
from actlab.records import Environment, FinalFigure, Record
from actlab.studies import worker
from actlab.studies.executors.dispatch import persist
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import search_trial


def keep(folder: RunFolder, record: Record, weights: bytes) -> None:
    """Write the weights of the best trial, then their owner."""
    write_bytes(folder.weights_path, weights)
    owner = {"number": record.number, "sha256": hashlib.sha256(weights).hexdigest()}
    write_bytes(folder.weights_owner_path, json.dumps(owner).encode())


def of_best(folder: RunFolder, best: Record, environment: Environment, executor: Executor) -> bytes:
    """Return the weights of `best`; where they are not those in the folder, train it again."""
    kept = _kept(folder, best)
    if kept is not None:
        return kept
    trial = search_trial(folder.plan(), environment, best.number, best.setting)
    weights, record = persist(executor, worker.train, trial, None, None)
    if record.valid_accuracy != best.valid_accuracy:
        message = _(
            "The weights of trial {number} are gone, and training it again on this machine gave "
            "accuracy {found} where its record says {expected}. Resume on the machine of the study."
        )
        raise RunFolderError(
            message.format(
                number=best.number, found=record.valid_accuracy, expected=best.valid_accuracy
            )
        )
    keep(folder, best, weights)
    return weights


def final_figure(
    folder: RunFolder, best: Record, environment: Environment, executor: Executor
) -> FinalFigure:
    """Return the test accuracy of the best trial's model, read once and kept in the folder."""
    known = folder.final()
    if known is not None and known.number == best.number and known.identity == best.identity:
        return known
    trial = search_trial(folder.plan(), environment, best.number, best.setting)
    weights = of_best(folder, best, environment, executor)
    final = persist(executor, worker.test_accuracy, trial, weights)
    folder.write_final(final)
    return final


def _kept(folder: RunFolder, best: Record) -> bytes | None:
    if not (folder.weights_path.exists() and folder.weights_owner_path.exists()):
        return None
    weights = folder.weights_path.read_bytes()
    owner = {"number": best.number, "sha256": hashlib.sha256(weights).hexdigest()}
    if folder.weights_owner_path.read_text() != json.dumps(owner):
        return None
    return weights
