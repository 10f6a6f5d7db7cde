"""From a plan and a setting to the trial that a worker gets."""

from actlab.records import Environment, Plan, Seeds, Setting, Trial


def search_trial(plan: Plan, environment: Environment, number: int, setting: Setting) -> Trial:
    """Return trial `number` of a search: all of them share the plan's seeds."""
    return Trial(
        number=number,
        setting=setting,
        protocol=plan.protocol,
        network=plan.network,
        data=plan.data,
        fingerprint=environment.fingerprint,
        seeds=Seeds.of_search(plan.seed),
        precision=environment.precision,
        device="cuda" if environment.device == "cuda" else "cpu",
    )
