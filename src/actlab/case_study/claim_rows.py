"""The claims of the published study on output layers, from a run folder."""

from dataclasses import asdict
from gettext import NullTranslations
from typing import Any

from actlab.case_study.output_claims import output_claims
from actlab.case_study.published_results import PUBLISHED_RESULTS
from actlab.i18n import process_language, translation
from actlab.records import Claim, OutputLayer, Plan, ProtocolName
from actlab.studies.run_folder import RunFolder


def claims_of(
    folder: RunFolder, translations: NullTranslations | None = None
) -> dict[ProtocolName, tuple[Claim, ...]]:
    """Return the judged claims by protocol, those whose task the run has.

    None is judged by targets of the user's: the claims are on those made from the digits.

    Sentences are in the language of `translations`, without them in that of the process.
    """
    if folder.plan().data.targets is not None:
        return {}
    messages = translations or translation(process_language())
    return output_claims(folder.plan(), folder.task_records(), messages)


def claim_rows(folder: RunFolder) -> list[dict[str, Any]]:
    """Return what `actlab tasks run --json` has under `claims`."""
    return [
        {"protocol": protocol, **asdict(claim)}
        for protocol, claims in claims_of(folder).items()
        for claim in claims
    ]


def published_results(plan: Plan) -> dict[OutputLayer, tuple[float, float]]:
    """Return the author's (validation, test) figures by output layer, for tasks on MNIST alone."""
    if plan.data.name != "mnist" or plan.data.targets is not None:
        return {}
    return {layer: (found.valid, found.test) for layer, found in PUBLISHED_RESULTS.items()}
