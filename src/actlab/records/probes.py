"""What was measured inside a trained network: its activation layers, and what these learnt."""

from dataclasses import dataclass

from actlab.records.slot import SlotName


@dataclass(frozen=True)
class LayerProbe:
    """One activation layer of a trained network, on images that it did not learn from.

    `layer` is the path of the activation, `slot` its kind. Shares are fractions of the outputs
    (`zeros`, `saturated`) or of the units (`dead`): a unit is a feature map after a convolution,
    one number after a linear layer.

    * `zeros`: outputs a that are exactly zero.
    * `sparseness`: 1 - (mean |a|)^2 / (mean a^2), 0 where all are equally large, towards 1 where a
      few large ones stand among small ones. It grades what `zeros` only counts: a leaky rectifier
      has no zero, and is nearly as sparse as relu. After Treves and Rolls 1991, Network 2(4), who
      define it for firing rates; here with magnitudes.
    * `dead`: units whose derivative f' is exactly zero at every place of every image, and whose
      output is never above zero: no gradient passes, and on these images nothing can revive them.
    * `saturated`: outputs that are not zero and whose |f'| is below 1 % of the function's greatest;
      an exact zero is counted as sparsity, not as saturation.
    * `mean`, `spread`: mean and standard deviation of the outputs.
    * `gradient_norm`: Euclidean norm of the loss's gradient with respect to the weights of the
      layer before the activation.

    A number that is not finite, or that there is not, is None.
    """

    layer: str
    slot: SlotName
    zeros: float
    dead: float
    saturated: float
    mean: float | None
    spread: float | None
    gradient_norm: float | None
    sparseness: float | None = None


@dataclass(frozen=True)
class LearntParameter:
    """A learnable parameter of an activation layer over a training, such as PReLU's slope.

    `values` holds the mean over its elements before the first epoch and after each one.
    """

    layer: str
    slot: SlotName
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Probes:
    """The activation layers of one trained network, from the input to the output."""

    images: int
    layers: tuple[LayerProbe, ...]
    learnt: tuple[LearntParameter, ...] = ()

    @property
    def gradient_ratio(self) -> float | None:
        """Return the first layer's gradient norm over the last one's; None where there is none.

        >>> first = LayerProbe("a", "conv", 0.5, 0.0, 0.0, 0.1, 1.0, gradient_norm=0.2)
        >>> last = LayerProbe("b", "fc", 0.5, 0.0, 0.0, 0.1, 1.0, gradient_norm=0.1)
        >>> Probes(10, (first, last)).gradient_ratio
        2.0
        """
        norms = [layer.gradient_norm for layer in self.layers]
        if len(norms) < 2 or norms[0] is None or not norms[-1]:
            return None
        return norms[0] / norms[-1]
