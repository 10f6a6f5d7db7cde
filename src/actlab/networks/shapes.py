"""The networks that a plan can name, and the images that they take; known without torch."""

from actlab.errors import unknown_name
from actlab.i18n import _

INPUT_SHAPES = {"published_cnn": (1, 28, 28), "small_cnn": (1, 8, 8)}

NAMES = tuple(INPUT_SHAPES)


def is_address(name: str) -> bool:
    """Return whether a network's name is the address of the user's, such as file.py:build.

    >>> is_address("nets.py:build"), is_address("published_cnn")
    (True, False)
    """
    return ":" in name


def input_shape(name: str) -> tuple[int, int, int] | None:
    """Return the shape (channels, height, width) of the images that the network `name` takes.

    None for one of the user's, which is asked when the study starts. Raises UnknownNameError
    for a network that does not exist.

    >>> input_shape("small_cnn")
    (1, 8, 8)
    """
    if is_address(name):
        return None
    if name not in INPUT_SHAPES:
        raise unknown_name(_("network"), name, NAMES)
    return INPUT_SHAPES[name]
