"""Choose who does a task, from what the workspace has seen, and remember what came of it."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from agents.delegation.arms import Candidate, Floats, Objective, Observations, Requests, indices
from agents.delegation.features import WIDTH, features
from agents.delegation.history import KEPT, SEGMENT, Outcome, OutcomeHistory, digest, packed, unpacked
from agents.delegation.kinds import found_kind
from agents.delegation.selector import DEFAULT_POLICY, Ranking, Selector, batch_size, checked_policy
from agents.delegation.standings import Standing, standings
from domain.errors import UnknownAgent, UserError
from memory.encoders import Encoder
from memory.records import Records

MOST_KINDS = 64
"""Task kinds that are told apart in a workspace; further ones are treated as one."""
WINDOW = SEGMENT * KEPT
"""Outcomes that a workspace remembers, give or take a segment."""
_LEARNERS = 8
"""Sets of candidates whose selectors are kept in memory."""
_DESKS = 64
"""Workspaces whose outcomes are kept in memory."""


@dataclass(frozen=True)
class Selection:
    """Who should do a task, and why."""

    agent: str
    confidence: float
    """Expected outcome of giving it the task, 0..1."""
    fallbacks: tuple[str, ...]
    """Whom to give it to when that fails, best first."""
    estimated_seconds: float
    estimated_cost: float
    policy: str
    reason: str
    """One sentence for a person."""
    chances: Mapping[str, float] = field(default_factory=dict)
    """How probable each candidate was to be chosen; by these a later reader can ask what another policy had earned."""
    expected: Mapping[str, float] = field(default_factory=dict)
    """Expected outcome of each candidate, 0..1."""


class Told(NamedTuple):
    """What came of giving a task to an agent; see `Delegator.observe`."""

    task_type: str
    agent: str
    outcome: float
    """0..1."""
    seconds: float
    cost: float


@dataclass
class _Desk:
    """What is in memory of one workspace; records can rebuild it."""

    history: OutcomeHistory
    outcomes: list[Outcome] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    learners: dict[tuple[tuple[Candidate, ...], int], "_Learner"] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def add(self, news: list[Outcome]) -> None:
        """Take in new outcomes; what the records have dropped is dropped here, too."""
        self.outcomes += news
        if len(self.outcomes) > 2 * WINDOW:
            surplus = len(self.outcomes) - WINDOW
            del self.outcomes[:surplus]
            for learner in self.learners.values():
                learner.shown = max(0, learner.shown - surplus)

    def known_kind(self, name: str) -> str:
        """Return the kind that a name stands for among those seen."""
        return name if name in self.kinds else found_kind(name, Counter(outcome.kind for outcome in self.outcomes))

    def kind(self, name: str) -> int:
        """Return a task kind's number."""
        return self.kinds.setdefault(name, min(len(self.kinds), MOST_KINDS - 1))


@dataclass
class _Learner:
    """A selector and how many of the workspace's outcomes it has been shown."""

    selector: Selector
    shown: int = 0


class _Ranked(NamedTuple):
    ranking: Ranking
    chances: Floats
    """Of each arm to be the choice, shape [arms]."""
    seen: int
    """Outcomes that it rests on."""


class Delegator:
    """Selects a team's agents in every workspace apart: nothing seen in one has any effect in another."""

    def __init__(
        self,
        records: Records,
        encoder: Encoder,
        *,
        team: str,
        policy: str = DEFAULT_POLICY,
        objective: Objective | None = None,
        routes: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        """Set up selection.

        Args:
            records: Where outcomes are kept.
            encoder: Turns goals into vectors.
            team: Whose agents; teams learn nothing from each other either.
            policy: Name of one of `agents.delegation.selector.POLICIES`.
            objective: What cost and time are worth.
            routes: Agents that task types go to whatever was measured.
            clock: Returns unix time in seconds.
            seed: Makes the policy's draws repeatable.

        Raises:
            InvalidSettings: There is no such policy.
        """
        checked_policy(policy)
        self._records, self._encoder, self._clock, self._seed = records, encoder, clock, seed
        self._team, self._policy, self._objective = team, policy, objective or Objective()
        self._routes = dict(routes or {})
        self._desks: OrderedDict[str, _Desk] = OrderedDict()

    async def select(
        self,
        task_type: str,
        workspace: str,
        *,
        candidates: Sequence[Candidate],
        fallback: str,
        goal: str | None = None,
    ) -> Selection:
        """Choose one of the candidates; `fallback`, the team's default, where nothing was seen yet.

        Args:
            task_type: A kind of task as it was observed, or a part of one (`agents.delegation.kinds`).
            workspace: Whose task it is.
            candidates: Who could do it.
            fallback: Name of the one who does it without experience.
            goal: The task's text.

        Raises:
            UnknownAgent: The fallback is not among the candidates.
            InvalidWorkspace: The workspace's name is not usable.
            StorageError: The outcomes cannot be read.
        """
        arms = tuple(sorted(candidates, key=lambda candidate: candidate.name))
        start = _position(arms, fallback)
        desk = self._desk(workspace)
        async with desk.lock:
            desk.add(await desk.history.news())
            known = desk.known_kind(task_type)
            ranked = await asyncio.to_thread(self._ranked, desk, arms, start, desk.kind(known), goal)
        return self._selection(known, arms, ranked)

    async def standings(self, workspace: str) -> list[Standing]:
        """Return how each agent did at each kind of task, the most frequent first."""
        desk = self._desk(workspace)
        async with desk.lock:
            desk.add(await desk.history.news())
            return standings(desk.outcomes)

    async def claimed(self, workspace: str, run: str) -> bool:
        """Return True once for each run, so that its outcomes are told once although its last step may be repeated."""
        return await self._desk(workspace).history.claimed(run)

    async def observe(
        self,
        workspace: str,
        task_type: str,
        agent: str,
        outcome: float,
        *,
        seconds: float,
        cost: float,
        goal: str | None = None,
    ) -> None:
        """Remember what came of giving a task to an agent; it may be told long after the choice.

        Args:
            workspace: Whose task it was.
            task_type: The kind of task.
            agent: Who did it.
            outcome: How good the result was, 0..1.
            seconds: How long it took.
            cost: What it cost, in the candidates' unit.
            goal: The task's text; its features are kept, the text is not.

        Raises:
            UserError: A number is out of range.
            StorageError: It could not be kept.
        """
        await self.observe_many(workspace, [Told(task_type, agent, outcome, seconds, cost)], goal=goal)

    async def observe_many(self, workspace: str, told: Sequence[Told], *, goal: str | None = None) -> None:
        """Remember what came of the parts of one task, as `observe` does each, all together."""
        for each in told:
            _check(each)
        text = "" if goal is None else packed((await asyncio.to_thread(features, [goal], self._encoder))[0])
        sign, now = "" if goal is None else digest(goal), self._clock()
        seen = [Outcome(*each, now, self._encoder.id, text, sign) for each in told]
        if seen:
            await self._desk(workspace).history.append(*seen)

    async def forget(self, workspace: str, goal: str) -> int:
        """Delete for good what is known of a goal's text, here and in the records; return how many outcomes it had."""
        self._desks.pop(workspace, None)
        return await OutcomeHistory(self._records, workspace, self._team).forget(goal)

    def _desk(self, workspace: str) -> _Desk:
        if workspace not in self._desks:
            self._desks[workspace] = _Desk(OutcomeHistory(self._records, workspace, self._team))
        self._desks.move_to_end(workspace)
        if len(self._desks) > _DESKS:
            self._desks.popitem(last=False)
        return self._desks[workspace]

    def _ranked(self, desk: _Desk, arms: tuple[Candidate, ...], start: int, kind: int, goal: str | None) -> _Ranked:
        """Return the arms' ranking; blocking."""
        # Taken out and put back, so that the one not used for longest stands first.
        learner = desk.learners.pop((arms, start), None) or _Learner(self._selector(arms, start))
        desk.learners[arms, start] = learner
        if len(desk.learners) > _LEARNERS:
            del desk.learners[next(iter(desk.learners))]
        if len(desk.outcomes) - learner.shown >= batch_size(learner.shown):
            learner.selector.learn(self._observations(desk, arms, learner.shown))
            learner.shown = len(desk.outcomes)
        vector = np.zeros((1, WIDTH)) if goal is None else features([goal], self._encoder)
        request, selector = Requests(indices([kind]), vector), learner.selector
        ranking = selector.rank(request)
        return _Ranked(ranking, selector.chances(request, int(ranking.order[0, 0])), selector.seen)

    def _selector(self, arms: tuple[Candidate, ...], start: int) -> Selector:
        return Selector(
            arms,
            kinds=MOST_KINDS,
            fallback=start,
            policy=self._policy,
            objective=self._objective,
            rng=np.random.default_rng(self._seed),
        )

    def _observations(self, desk: _Desk, arms: tuple[Candidate, ...], after: int) -> Observations:
        """Return the outcomes of these arms from number `after` on."""
        number = {candidate.name: i for i, candidate in enumerate(arms)}
        seen = [outcome for outcome in desk.outcomes[after:] if outcome.agent in number]
        vectors = np.array([self._vector(outcome) for outcome in seen]).reshape(-1, WIDTH)
        return Observations(
            Requests(indices([desk.kind(outcome.kind) for outcome in seen]), vectors),
            indices([number[outcome.agent] for outcome in seen]),
            np.array([outcome.outcome for outcome in seen]),
            np.array([outcome.cost for outcome in seen]),
            np.array([outcome.seconds for outcome in seen]),
        )

    def _vector(self, outcome: Outcome) -> Floats:
        return unpacked(outcome.features if outcome.encoder == self._encoder.id else "", WIDTH)

    def _selection(self, task_type: str, arms: tuple[Candidate, ...], ranked: _Ranked) -> Selection:
        ranking, chances, seen = ranked
        order = [int(i) for i in ranking.order[0]]
        chosen = order[0]
        quality, cost = ranking.quality[0, chosen], ranking.cost[0, chosen]
        reason = (
            f"{seen} outcomes of these candidates: {arms[chosen].name} promises {quality:.2f} at a cost of {cost:.3g}"
        )
        if not seen:
            reason = f"nothing was seen yet, so the team's default {arms[chosen].name} does it"
        route = self._routes.get(task_type)
        if route in [candidate.name for candidate in arms]:
            chosen = _position(arms, str(route))
            chances = np.eye(len(arms))[chosen]
            reason = f"tasks of type {task_type!r} go to {route} by the team's route"
        return Selection(
            agent=arms[chosen].name,
            confidence=float(ranking.quality[0, chosen]),
            fallbacks=tuple(arms[i].name for i in order if i != chosen),
            estimated_seconds=float(ranking.seconds[0, chosen]),
            estimated_cost=float(ranking.cost[0, chosen]),
            policy=self._policy,
            reason=reason,
            chances={arm.name: float(chance) for arm, chance in zip(arms, chances, strict=True)},
            expected={arm.name: float(quality) for arm, quality in zip(arms, ranking.quality[0], strict=True)},
        )


def _check(told: Told) -> None:
    """Raise `UserError` where a number is out of range."""
    _, _, outcome, seconds, cost = told
    if not 0 <= outcome <= 1 or not 0 <= seconds < np.inf or not 0 <= cost < np.inf:
        msg = f"an outcome lies in 0..1, seconds and cost are finite and not negative: {outcome}, {seconds}, {cost}"
        raise UserError(msg)


def _position(arms: Sequence[Candidate], name: str) -> int:
    for i, candidate in enumerate(arms):
        if candidate.name == name:
            return i
    msg = f"{name!r} is not among the candidates {', '.join(candidate.name for candidate in arms)}"
    raise UnknownAgent(msg)
