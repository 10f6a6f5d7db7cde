"""Data sets, their fingerprints and their named splits.

The test split is handed out by `final_test_split`, for final figures only.
"""

from actlab.data.arrays import is_file, path_of, shared_sizes
from actlab.data.dataset import Dataset, Examples
from actlab.data.received import receive
from actlab.data.registry import NAMES, image_shape, open_dataset, pool_sizes
from actlab.data.scaling import fitted, unequal_inputs
from actlab.data.splits import (
    Splits,
    class_counts,
    draw_splits,
    final_test_split,
    has_unseen_rows,
    size_faults,
    sizes_as_given,
)

__all__ = [
    "NAMES",
    "Dataset",
    "Examples",
    "Splits",
    "class_counts",
    "draw_splits",
    "final_test_split",
    "fitted",
    "has_unseen_rows",
    "image_shape",
    "is_file",
    "open_dataset",
    "path_of",
    "pool_sizes",
    "receive",
    "shared_sizes",
    "size_faults",
    "sizes_as_given",
    "unequal_inputs",
]
