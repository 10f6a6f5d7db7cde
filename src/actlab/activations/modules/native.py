"""Functions for which torch has a fast kernel of its own: torch's modules, as they are."""

from torch import Tensor, nn
from torch.nn import functional


def identity() -> nn.Module:
    """Return x."""
    return nn.Identity()


def relu() -> nn.Module:
    """Return max(x, 0)."""
    return nn.ReLU()


def relu6() -> nn.Module:
    """Return x within [0, 6]."""
    return nn.ReLU6()


def leaky_relu(negative_slope: float) -> nn.Module:
    """Return x, times `negative_slope` where x <= 0."""
    return nn.LeakyReLU(negative_slope)


def prelu(a: float, channels: int = 1) -> nn.Module:
    """Return x, times a learnable slope where x <= 0."""
    return nn.PReLU(channels, a)


def rrelu(lower: float, upper: float) -> nn.Module:
    """Return x, times the middle of the two slopes where x <= 0; a random one in training."""
    return _RReLU(lower, upper)


class _RReLU(nn.RReLU):
    """torch's RReLU, in evaluation by leaky_relu.

    Its own kernel returns another memory format and does not support vmap.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return functional.leaky_relu(x, (self.lower + self.upper) / 2)

    def _get_name(self) -> str:
        return "RReLU"


def hardtanh(min_val: float, max_val: float) -> nn.Module:
    """Return x within [min_val, max_val]."""
    return nn.Hardtanh(min_val, max_val)


def hardsigmoid() -> nn.Module:
    """Return (x + 3) / 6 within [0, 1]."""
    return nn.Hardsigmoid()


def hardshrink(lambd: float) -> nn.Module:
    """Return x where |x| > `lambd`, else 0."""
    return nn.Hardshrink(lambd)


def softshrink(lambd: float) -> nn.Module:
    """Return x moved towards 0 by `lambd`."""
    return nn.Softshrink(lambd)


def tanhshrink() -> nn.Module:
    """Return x - tanh(x)."""
    return nn.Tanhshrink()


def sigmoid() -> nn.Module:
    """Return 1 / (1 + exp(-x))."""
    return nn.Sigmoid()


def tanh() -> nn.Module:
    """Return tanh(x)."""
    return nn.Tanh()


def softsign() -> nn.Module:
    """Return x / (1 + |x|)."""
    return nn.Softsign()


def elu(alpha: float) -> nn.Module:
    """Return x, or alpha (exp(x) - 1) where x <= 0."""
    return nn.ELU(alpha)


def celu(alpha: float) -> nn.Module:
    """Return x, or alpha (exp(x / alpha) - 1) where x <= 0."""
    return nn.CELU(alpha)


def softplus(beta: float, threshold: float) -> nn.Module:
    """Return log(1 + exp(beta x)) / beta, which is x from beta x = threshold on."""
    return nn.Softplus(beta, threshold)


def gelu() -> nn.Module:
    """Return x Phi(x)."""
    return nn.GELU()


def gelu_tanh() -> nn.Module:
    """Return the tanh approximation of x Phi(x)."""
    return nn.GELU(approximate="tanh")


def silu() -> nn.Module:
    """Return x sigmoid(x)."""
    return nn.SiLU()


def hardswish() -> nn.Module:
    """Return x hardsigmoid(x)."""
    return nn.Hardswish()


def mish() -> nn.Module:
    """Return x tanh(softplus(x))."""
    return nn.Mish()


def softmax(dim: float = -1) -> nn.Module:
    """Return exp(x) / sum(exp(x)) over dimension `dim`."""
    return nn.Softmax(dim=int(dim))


def glu(dim: float = -1) -> nn.Module:
    """Return a sigmoid(b), where x is a and b one after the other in dimension `dim`."""
    return nn.GLU(dim=int(dim))


def log_softmax(dim: float = -1) -> nn.Module:
    """Return x - log(sum(exp(x))) over dimension `dim`."""
    return nn.LogSoftmax(dim=int(dim))


def softmin(dim: float = -1) -> nn.Module:
    """Return exp(-x) / sum(exp(-x)) over dimension `dim`."""
    return nn.Softmin(dim=int(dim))


def threshold(threshold: float, value: float) -> nn.Module:
    """Return x where it exceeds `threshold`, else `value`."""
    return nn.Threshold(threshold, value)
