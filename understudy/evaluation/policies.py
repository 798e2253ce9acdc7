"""Asking a workspace's log what other policies had earned."""

from collections.abc import Sequence

from agents.delegation.history import OutcomeHistory
from agents.delegation.policy_names import PolicyName
from agents.delegation.trials import Trial
from agents.team import Team
from domain.events import RunStarted, Stamped
from evals.logged_decisions import Log, decisions_in
from evals.policies import PolicyReport, ThresholdReport, under_policy, under_threshold
from evals.replayed_selection import always, chances_under, known_choices
from understudy.settings import Settings
from understudy.stored import stamped_of
from understudy.threads import Threads
from understudy.wiring import House


async def threshold_report(settings: Settings, threshold: float) -> ThresholdReport:
    """Return what the runs of the team in the workspace tell of another threshold of reuse."""
    async with House(settings) as house:
        log = await _log(house, await house.team(settings.team))
        return under_threshold(log.routed, threshold)


async def selection_report(settings: Settings, policy: PolicyName) -> PolicyReport:
    """Return what they tell of another policy of choosing agents."""
    async with House(settings) as house:
        team = await house.team(settings.team)
        log = await _log(house, team)
        chosen = list(known_choices(team, log.chosen))
        outcomes = await OutcomeHistory(house.records, settings.workspace, team.name).news()
        targets = await chances_under(policy, chosen, outcomes, team=team, encoder=house.encoder)
        return under_policy(policy, chosen, targets, unknown=log.unknown)


async def trial_reports(settings: Settings, name: str) -> list[PolicyReport]:
    """Return what they tell of always taking one variant of a trial, for each of the two.

    Raises:
        UnknownTrial: The workspace has no such trial.
    """
    async with House(settings) as house:
        trial: Trial = await house.trials.get(settings.workspace, name)
        log = await _log(house, await house.team(settings.team))
        drawn = [choice for choice in log.chosen if choice.trial == name]
        variants = (trial.control, trial.challenger)
        return [under_policy(f"always {v}", drawn, always(v, drawn), unknown=0) for v in variants]


async def _log(house: House, team: Team) -> Log:
    workspace = house.settings.workspace
    runs: dict[str, list[Stamped]] = {}
    for entry in await Threads(house.records, house.clock).listed(workspace):
        for seq, value in await house.journal.read(workspace, entry.thread):
            stamped = stamped_of(seq, value)
            runs.setdefault(stamped.run, []).append(stamped)
    return decisions_in([events for events in runs.values() if _is_of(events, team)])


def _is_of(events: Sequence[Stamped], team: Team) -> bool:
    return any(isinstance(s.event, RunStarted) and s.event.team == team.name for s in events)
