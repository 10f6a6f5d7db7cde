"""Where the real MNIST files are looked for by the tests that read them."""

import os
from pathlib import Path

REAL = Path(os.environ.get("ACTLAB_DATA") or Path(__file__).parents[1] / "../shared/mnist")
