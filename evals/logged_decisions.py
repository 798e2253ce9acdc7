"""The decisions that a workspace's runs logged, with what came of them: how goals were routed, who did which step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from domain import events as ev
from domain.events import Stamped
from domain.outcomes import Outcome, StepResult
from domain.routing import Recall, RouteDecision


class Routed(NamedTuple):
    """How the goal of one run was routed."""

    run: str
    recall: Recall
    decision: RouteDecision
    reward: float
    """What came of the run, 0-1."""

    def way(self, threshold: float) -> str:
        """Return which way the goal goes under another threshold: from `memory`, by a `recipe`, or `anew`.

        A plan that memory was sure of and that was not carried out did not fit here, whatever the threshold; one that
        is held down because it is stale stays below any.
        """
        sure = self.recall.band == "reuse"
        held = self.recall.confidence == self.recall.reuse_above
        fits = self.recall.plan is not None and not held and (not sure or self.decision.source == "memory")
        if fits and self.recall.confidence > threshold:
            return "memory"
        if self.decision.source == "recipe" and self.decision.confidence > threshold:
            return "recipe"
        return "anew"

    @property
    def taken(self) -> str:
        """Which way it went."""
        return self.decision.source if self.decision.source in ("memory", "recipe") else "anew"


class Chosen(NamedTuple):
    """One choice among several, with its odds: who does a step, or which variant of a trial a run gets."""

    run: str
    at: float
    """Unix time."""
    what: str
    """Agent or sequence that was chosen."""
    chances: Mapping[str, float]
    reward: float
    expected: Mapping[str, float] = {}
    """Outcome that was expected of each."""
    kind: str = ""
    goal: str = ""
    planned: str = ""
    """Agent that the plan names."""
    trial: str = ""
    """Trial that decided it."""


class Log(NamedTuple):
    """What the runs of a workspace logged."""

    routed: list[Routed]
    chosen: list[Chosen]
    unknown: int
    """Choices that were logged without their odds."""
    open: int
    """Runs that have not ended."""


def decisions_in(runs: Sequence[Sequence[Stamped]]) -> Log:
    """Return the decisions of runs, each given by its events in their order."""
    log = Log([], [], 0, 0)
    for events in runs:
        outcome = _last(events)
        if outcome is None:
            log = log._replace(open=log.open + 1)
            continue
        log.routed.extend(_routed(events, outcome))
        found = list(_chosen(events, outcome))
        log.chosen.extend(choice for choice in found if choice.chances)
        log = log._replace(unknown=log.unknown + sum(not choice.chances for choice in found))
    return log._replace(chosen=sorted(log.chosen, key=lambda choice: choice.at))


def _last(events: Sequence[Stamped]) -> Outcome | None:
    ended = [stamped.event.outcome for stamped in events if isinstance(stamped.event, ev.RunFinished)]
    return ended[-1] if ended else None


def _routed(events: Sequence[Stamped], outcome: Outcome) -> Iterator[Routed]:
    recall = Recall()
    for stamped in events:
        if isinstance(stamped.event, ev.MemoryRecalled):
            recall = stamped.event.recall
        elif isinstance(stamped.event, ev.RouteDecided):
            yield Routed(stamped.run, recall, stamped.event.decision, _worth(outcome))
            return


def _chosen(events: Sequence[Stamped], outcome: Outcome) -> Iterator[Chosen]:
    results: dict[str, StepResult] = {}
    planned: dict[str, str] = {}
    goal = ""
    for stamped in events:
        if isinstance(stamped.event, ev.StepFinished):
            results[stamped.event.result.step] = stamped.event.result
    for stamped in events:
        match stamped.event:
            case ev.RunStarted():
                goal = stamped.event.goal
            case ev.PlanProposed():
                planned |= {step.id: step.agent for step in stamped.event.plan.steps}
            case ev.TrialAssigned() as drawn:
                yield Chosen(
                    stamped.run, stamped.time, drawn.variant, drawn.chances, _worth(outcome), trial=drawn.trial
                )
            case ev.AgentSelected() as made if (reward := _earned(made, results.get(made.step), outcome)) is not None:
                yield Chosen(
                    stamped.run, stamped.time, made.agent, made.chances, reward, made.expected,
                    kind=made.kind, goal=goal, planned=planned.get(made.step, made.agent), trial=made.trial,
                )  # fmt: skip
            case _:
                pass


def _earned(made: ev.AgentSelected, result: StepResult | None, outcome: Outcome) -> float | None:
    """Return what came of a choice, or None where the step was never done: a stand-in's work is not its own."""
    if result is None or result.status not in ("done", "failed"):
        return None
    return _worth(outcome) if result.status == "done" and result.agent == made.agent else 0.0


def _worth(outcome: Outcome) -> float:
    quality = 1.0 if outcome.quality is None else outcome.quality
    return quality if outcome.success else 0.0
