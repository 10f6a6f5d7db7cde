"""Downloading the MNIST files from their public mirrors, checked, with a progress bar."""

from dataclasses import dataclass
from pathlib import Path

from actlab.errors import DataError
from actlab.i18n import _

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


@dataclass(frozen=True)
class Original:
    """A file on the mirrors: its name there and the SHA-256 of its bytes."""

    name: str
    sha256: str


def download(original: Original, folder: Path) -> Path:
    """Fetch `original` into `folder` from the first mirror that has it, and return its path.

    Raises DataError where no mirror can be reached or none has the right bytes.
    """
    import pooch

    reasons = []
    for mirror in MIRRORS:
        try:
            return Path(
                pooch.retrieve(
                    mirror + original.name,
                    known_hash=f"sha256:{original.sha256}",
                    fname=original.name,
                    path=folder,
                    progressbar=True,
                )
            )
        # OSError covers what requests raises and a folder that cannot be written; pooch raises
        # ValueError for a wrong checksum and removes the file.
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {error}")
    raise DataError(
        _(
            "The file {name} could not be downloaded ({reasons}). Fetch the four MNIST files "
            "yourself and name their folder with --data-dir."
        ).format(name=original.name, reasons="; ".join(reasons))
    )
