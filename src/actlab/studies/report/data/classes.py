"""How many images of each class every split has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SplitCounts:
    """The class counts of one split, and each as a share of the split."""

    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Return the number of images in the split."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the class counts as fractions of the split."""
        return tuple(count / self.total if self.total else 0.0 for count in self.counts)


def split_counts(class_counts: dict[str, tuple[int, ...]]) -> tuple[SplitCounts, ...]:
    """Return the splits in the order of the study, others after them.

    >>> [split.name for split in split_counts({"test": (5, 5), "train": (1, 3)})]
    ['train', 'test']
    """
    order = ("train", "valid_epoch", "valid_trial", "test")
    names = [name for name in order if name in class_counts]
    names += [name for name in class_counts if name not in order]
    return tuple(SplitCounts(name, tuple(class_counts[name])) for name in names)
