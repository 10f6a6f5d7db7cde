"""The pictures of a search without a run folder."""

from gettext import NullTranslations

from actlab.case_study.published_results import published_trials
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.studies.report.trial_pictures import PUBLISHED_ZOOMS, trial_pictures
from actlab.text import Formatter

FORM = Formatter(NullTranslations())


def test_the_published_study_has_its_pictures_with_its_own_close_ups() -> None:
    found = {
        figure.name: figure for figure in trial_pictures(published_trials(), FORM, PUBLISHED_ZOOMS)
    }
    assert list(found) == [
        "history",
        "scatter-learning_rate-conv_activation",
        "scatter-learning_rate-fc_activation",
        "pairs",
    ]
    assert found["history"].caption == "Trial 102 reached 97.94 %."
    labels = [view.label for view in found["history"].views]
    assert labels == ["Close-up", "80 to 98.3 %", "Whole"]
    scatter = found["scatter-learning_rate-conv_activation"]
    assert [view.label for view in scatter.views][1:3] == ["60 to 100 %", "90 to 98 %"]
    assert scatter.figure.layout.xaxis.type == "log"
    assert sum(len(trace.x) for trace in scatter.figure.data) == 120


def test_a_loss_is_better_where_it_is_smaller_and_only_names_that_differ_are_drawn() -> None:
    rows = tuple(
        TrialRow(number, {"opt": name, "always": "same"}, {"width": float(number)}, value)
        for number, (name, value) in enumerate(
            [("adam", 0.5), ("sgd", 0.9), ("adam", 0.3), ("sgd", None)]
        )
    )
    figures = trial_pictures(TrialTable("mine", rows, maximize=False), FORM)
    assert [figure.name for figure in figures] == ["history", "scatter-width-opt"]
    assert list(figures[0].figure.data[1].y) == [0.5, 0.5, 0.3]
    assert figures[1].figure.layout.xaxis.type is None


def test_no_completed_trial_has_no_picture() -> None:
    assert trial_pictures(TrialTable("mine", (TrialRow(0, {"a": "b"}, {}, None),)), FORM) == ()


def test_a_number_and_a_name_that_no_trial_has_together_are_not_drawn_against_each_other() -> None:
    rows = (
        TrialRow(0, {"act": "relu"}, {}, 0.9),
        TrialRow(1, {"act": "tanh"}, {}, 0.8),
        TrialRow(2, {}, {"rate": 0.1}, 0.7),
    )
    figures = trial_pictures(TrialTable("mine", rows, maximize=True), FORM)
    assert [figure.name for figure in figures] == ["history"]
