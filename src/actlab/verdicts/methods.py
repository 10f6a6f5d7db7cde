"""The methods paragraph: how the numbers of a verdict came about, ready for a paper."""

from actlab.text import Formatter
from actlab.verdicts.replication import Replication


def methods(
    replication: Replication, margin: float, seeds: int, replicates: int, words: Formatter
) -> str:
    """Return the paragraph for this study's seeds, rows and margin."""
    _ = words.translations.gettext
    sentences = [
        _(
            "The chosen setting of every candidate was trained again with {seeds} fresh seeds, the "
            "same for all candidates ({replicates} trainings); a seed fixes rows, initial weights "
            "and order. Accuracy is that on {rows} evaluation rows which neither training nor "
            "stopping has seen; a training that diverged or failed counts at chance ({chance})."
        ).format(
            seeds=seeds,
            replicates=replicates,
            rows=f"{replication.evaluation_rows:,}",
            chance=words.percent(replication.chance),
        ),
        _(
            "Means have 95 % Student t intervals. Candidates are compared by two-sided t-tests on "
            "differences paired by seed, with Holm's correction over all pairs of a slot at the "
            "level 0.05. A candidate that is not worse is tied with the best where the upper end "
            "of the 90 % interval of the paired difference is below {margin} percentage points."
        ).format(margin=words.margin(margin)),
    ]
    if not replication.rows_overlap:
        sentences.append(
            _(
                "Each seed draws its rows anew from those that the search never saw, so two seeds "
                "may share some: the intervals are for such draws from these data, not for data of "
                "another origin."
            )
        )
    if any(replication.stopped.values()):
        sentences.append(
            _(
                "Candidates that were clearly behind at a look on the way were not trained on the "
                "remaining seeds (all pairs, Bonferroni over the looks and Holm over the pairs, at "
                "the level 0.01)."
            )
        )
    if replication.rows_overlap:
        sentences.append(
            _(
                "Because replicates share rows, the variance of every mean is taken as "
                "(1/n + {evaluation}/{train}) times that of the replicates (Nadeau and Bengio, "
                "2003)."
            ).format(evaluation=replication.evaluation_rows, train=replication.train_rows)
        )
    return " ".join(sentences)
