"""Whether a network takes the images of a data set."""

from actlab.errors import DataError
from actlab.i18n import _
from actlab.networks.own import check_own
from actlab.networks.shapes import input_shape
from actlab.records import Space


def check_fits(
    network: str, space: Space, data_name: str, images: tuple[int, ...], classes: int
) -> None:
    """Raise DataError where `network` takes no images of shape `images`.

    One of the user's own is built and run: it raises NetworkError where it does not fit.

    >>> space = Space(("relu",), ("tanh",), 0.001, 0.01)
    >>> check_fits("small_cnn", space, "digits", (1, 8, 8), classes=10)
    """
    taken = input_shape(network)
    if taken is None:
        check_own(network, space, images, classes)
    elif taken != images:
        raise DataError(
            _(
                "The network {network} takes images of shape {taken}; those of {name} have shape "
                "{given}. Choose another network or other data."
            ).format(network=network, taken=taken, name=data_name, given=images)
        )
