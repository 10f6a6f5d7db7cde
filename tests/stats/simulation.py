"""Simulated studies: replicates that share rows are equally correlated."""

import numpy as np
import numpy.typing as npt

STUDIES = 2_000
LOWEST, HIGHEST = 0.93, 0.97
"""The coverage that a 95 % interval must have, over STUDIES studies."""

Array = npt.NDArray[np.float64]


def correlated(generator: np.random.Generator, studies: int, n: int, rho: float) -> Array:
    """Return (studies, n) standard normals; any two of one study have correlation rho."""
    common = generator.standard_normal((studies, 1))
    own = generator.standard_normal((studies, n))
    rows: Array = np.sqrt(rho) * common + np.sqrt(1.0 - rho) * own
    return rows


def reuse(rho: float) -> float:
    """Return the evaluation / train rows that Nadeau and Bengio take for this correlation."""
    return rho / (1.0 - rho)
