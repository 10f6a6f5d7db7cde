"""What the numbers in a tensor say: simplex, log-probabilities, range. No gradients, no state."""

import math

import torch
from torch import Tensor

_MIXED = 2
_ROWS = 1 << 18
"""Elements that a test looks at: the first rows of a large tensor stand for it."""


def sample(tensor: Tensor) -> Tensor | None:
    """Return the numbers as float32 or better, without graph; None where there are none."""
    if not readable(tensor):
        return None
    with torch.no_grad():
        plain = tensor.detach()
        if plain.ndim > 1:
            per_row = plain.numel() // plain.shape[0]
            plain = plain[: max(2, _ROWS // per_row)]
        return plain if plain.dtype is torch.float64 else plain.float()


def readable(tensor: Tensor) -> bool:
    """Return whether there are real numbers to look at: none on "meta", none inside vmap."""
    if tensor.is_meta or tensor.numel() == 0 or tensor.is_complex():
        return False
    if tensor.layout is not torch.strided or tensor.is_nested or tensor.is_quantized:
        return False
    return not torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def simplex_tolerance(classes: int, dtype: torch.dtype) -> float:
    """Return how far from 1 a sum of `classes` probabilities may be: max(1e-4, C x eps)."""
    eps = torch.finfo(dtype).eps if dtype.is_floating_point else 0.0
    return max(1e-4, classes * eps)


def is_simplex(tensor: Tensor, dim: int) -> bool:
    """Return whether the numbers along `dim` are probabilities that sum to 1."""
    numbers = sample(tensor)
    if numbers is None or numbers.ndim == 0 or numbers.shape[dim] < 2:
        return False
    tolerance = simplex_tolerance(numbers.shape[dim], tensor.dtype)
    if float(numbers.min()) < 0.0:
        return False
    return bool(((numbers.sum(dim) - 1.0).abs() < tolerance).all())


def simplex_dims(tensor: Tensor) -> tuple[int, ...]:
    """Return the dimensions along which the numbers are probabilities that sum to 1."""
    return tuple(dim for dim in range(tensor.ndim) if is_simplex(tensor, dim))


def log_simplex_error(tensor: Tensor, dim: int) -> float:
    """Return the largest |logsumexp| along `dim`: 0 for log-probabilities; inf where not finite."""
    numbers = sample(tensor)
    if numbers is None or numbers.ndim == 0:
        return math.nan
    worst = float(torch.logsumexp(numbers, dim).abs().max())
    return math.inf if math.isnan(worst) else worst


def extremes(tensor: Tensor) -> tuple[float, float] | None:
    """Return the smallest and the largest number, None where they cannot be read."""
    if not readable(tensor):
        return None
    with torch.no_grad():
        low, high = torch.aminmax(tensor.detach())
        return float(low), float(high)


def share_of_zeros(tensor: Tensor) -> float:
    """Return the share of numbers that are exactly zero."""
    numbers = sample(tensor)
    return 0.0 if numbers is None else float((numbers == 0).float().mean())


def is_multi_hot(tensor: Tensor) -> bool:
    """Return whether rows are zeros and ones with other than one 1 in some row."""
    numbers = sample(tensor)
    if numbers is None or numbers.ndim < 2 or numbers.shape[1] < 2:
        return False
    if not bool(((numbers == 0) | (numbers == 1)).all()):
        return False
    return bool((numbers.sum(1) != 1).any())


def is_one_hot(tensor: Tensor) -> bool:
    """Return whether every row is zeros and a single 1."""
    numbers = sample(tensor)
    if numbers is None or numbers.ndim < 2 or numbers.shape[1] < 2:
        return False
    binary = bool(((numbers == 0) | (numbers == 1)).all())
    return binary and bool((numbers.sum(1) == 1).all())


def is_distribution(tensor: Tensor, dim: int) -> bool:
    """Return whether rows along `dim` are shares that sum to 1, or are all 0 (left out)."""
    numbers = sample(tensor)
    if numbers is None or not 0 <= dim < numbers.ndim or numbers.shape[dim] < 2:
        return False
    sums = numbers.sum(dim)
    ones = (sums - 1.0).abs() < simplex_tolerance(numbers.shape[dim], numbers.dtype)
    return float(numbers.min()) >= 0.0 and bool(ones.any()) and bool((ones | (sums == 0)).all())


def is_normalised_multi_hot(tensor: Tensor) -> bool:
    """Return whether rows are k equal shares 1/k, with k of at least 3 in some row.

    Two equal shares are also what mixing two samples gives.
    """
    numbers = sample(tensor)
    if numbers is None or numbers.ndim < 2 or numbers.shape[1] < 3:
        return False
    positives = (numbers > 0).sum(1, keepdim=True).clamp(min=1)
    shares = torch.where(numbers > 0, 1.0 / positives, torch.zeros_like(numbers))
    equal = bool(((numbers - shares).abs() < 1e-4).all()) and bool((numbers >= 0).all())
    several = bool((positives > _MIXED).any()) and bool((positives < numbers.shape[1]).any())
    return equal and several
