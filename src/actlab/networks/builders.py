"""Building a network by its name, with activations from the catalogue in its slots."""

from torch import nn

from actlab import activations
from actlab.errors import unknown_name
from actlab.i18n import _
from actlab.networks.heads import head_layers
from actlab.networks.own import build_own
from actlab.networks.published_cnn import published_cnn
from actlab.networks.shapes import is_own
from actlab.networks.small_cnn import small_cnn
from actlab.records import Head

_BUILDERS = {"published_cnn": published_cnn, "small_cnn": small_cnn}


def build(
    name: str, conv_activation: str, fc_activation: str, head: Head, outputs: int = 10
) -> nn.Sequential:
    """Return the network `name`, or that of an address, with weights from torch's generator.

    `head` is what it ends in: an activation of the `outputs`, or none (`logits`). The weights
    drawn do not depend on the activations unless one draws its own.

    Raises UnknownNameError for a network or an activation that does not exist.

    >>> build("published_cnn", "relu", "sigmoid", "logits").fc1
    Linear(in_features=1024, out_features=64, bias=True)
    """
    if is_own(name):
        return build_own(name, conv_activation, fc_activation, head)
    if name not in _BUILDERS:
        raise unknown_name(_("network"), name, _BUILDERS)
    return _BUILDERS[name](
        activations.get(conv_activation).module,
        activations.get(fc_activation).module,
        head_layers(head),
        outputs,
    )
