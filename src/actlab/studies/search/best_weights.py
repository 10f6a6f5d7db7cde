"""The best trial's weights, and whose they are.

A kill between a record and its weights leaves the weights of an earlier trial; the owner's name
kept with them tells, and the trial is trained again (the same seeds give the same weights).
"""

import hashlib
import io
import json
import zipfile
from concurrent.futures import Executor
from pathlib import Path

from actlab.errors import RunFolderError
from actlab.files import read_regular
from actlab.i18n import _
from actlab.records import Environment, FinalFigure, Record
from actlab.studies import worker
from actlab.studies.executors.dispatch import persist
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import search_trial

LARGEST = 2**34
"""The most bytes that a file of weights may have."""


def keep(folder: RunFolder, record: Record, weights: bytes) -> None:
    """Write the weights of the best trial, then their owner."""
    folder.write_file(folder.weights_path, weights)
    owner = {"number": record.number, "sha256": hashlib.sha256(weights).hexdigest()}
    folder.write_file(folder.weights_owner_path, json.dumps(owner).encode())


def read_weights(path: Path) -> bytes | None:
    """Return the content of a file of weights; None where it is none, or not whole.

    What `torch.save` writes is an archive of stored members with checksums. One with packed members
    could be far larger in memory than on the disk, and is refused.
    """
    try:
        content = read_regular(path, LARGEST)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
            return None if packed or archive.testzip() is not None else content
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile):
        return None


def of_best(folder: RunFolder, best: Record, environment: Environment, executor: Executor) -> bytes:
    """Return the weights of `best`; where they are not those in the folder, train it again."""
    there = kept(folder, best)
    if there is not None:
        return there
    trial = search_trial(folder.plan(), environment, best.number, best.setting)
    weights, record = persist(executor, worker.train, trial, None, None)
    if record.score != best.score:
        message = _(
            "The weights of trial {number} are gone, and training it again on this machine gave "
            "accuracy {found} where its record says {expected}. Resume on the machine of the study."
        )
        raise RunFolderError(
            message.format(
                number=best.number, found=record.valid_metric, expected=best.valid_metric
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


def kept(folder: RunFolder, best: Record) -> bytes | None:
    """Return the weights of `best` from the folder; None where those there are not whole or its."""
    weights = read_weights(folder.weights_path)
    if weights is None:
        return None
    owner = {"number": best.number, "sha256": hashlib.sha256(weights).hexdigest()}
    try:
        is_owned = read_regular(folder.weights_owner_path) == json.dumps(owner).encode()
    except OSError:
        return None
    return weights if is_owned else None
