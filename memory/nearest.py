"""The remembered tasks nearest to a goal: from the index, as far as the records still have them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from domain.routing import Neighbour
from memory.asks import Asks
from memory.encoders import Vectors
from memory.index import ChromaIndex, Hit
from memory.offers import Candidate
from memory.records import Records
from memory.task_record import TaskRecord, read_tasks
from memory.view import View
from memory.views import Views

_DAY = 86400.0
_WIDENED = (4, 16, 64)
"""How many times as many hits as are wanted are looked at to find the team's among them."""


class Nearest:
    """Finds tasks and says how near they are."""

    def __init__(self, records: Records, index: ChromaIndex, views: Views, clock: Callable[[], float]) -> None:
        self._records = records
        self._index = index
        self._views = views
        self._clock = clock
        self._asks = Asks(index)

    async def hits(self, workspace: str, view: View, vector: Vectors, limit: int, team: str | None) -> Sequence[Hit]:
        """Return up to `limit` hits of the team, or of all, nearest first.

        The team is looked up here, and the query widened until enough are found, because a query among some of the
        vectors takes several times as long; it comes last, for teams with a small share of the workspace.
        """
        if team is not None and not view.sizes.get(team):
            return []
        for widened in _WIDENED:
            query = partial(self._index.query, workspace, vector, widened * limit)
            hits = await self._views.indexed(workspace, query)
            mine = [hit for hit in hits if hit.id in view and team in (None, view.team(hit.id))]
            if len(mine) >= limit or len(hits) < widened * limit:
                return mine[:limit]
        query = partial(self._index.query, workspace, vector, limit, among=view.tasks(team))
        return await self._views.indexed(workspace, query)

    async def candidates(
        self, workspace: str, view: View, goal: str, ask: Vectors, hits: Sequence[Hit], versions: Mapping[str, str]
    ) -> Sequence[Candidate]:
        """Return those of the hits that are still remembered.

        Args:
            workspace: Whose tasks.
            view: Of the workspace.
            goal: What they are compared with.
            ask: Vector of the goal's ask, shape [dimension].
            hits: The tasks.
            versions: Of what the goal would be done with now.
        """
        records = await read_tasks(self._records, workspace, [hit.id for hit in hits])
        await self._views.hide(workspace, [h.id for h, r in zip(hits, records, strict=True) if r is None])
        living = [(hit, record) for hit, record in zip(hits, records, strict=True) if record and hit.id in view]
        near, goals = [hit for hit, _ in living], [view.goal(hit.id) for hit, _ in living]
        asks = await self._views.indexed(workspace, partial(self._asks.of, workspace, near, goals))
        closeness = view.closeness(goal, ask, near, asks)
        return [
            Candidate(
                neighbour=_neighbour(record, hit, self._clock()),
                plan=record.plan,
                successes=record.successes,
                failures=record.failures,
                closeness=close,
                changes=sum(versions.get(name, version) != version for name, version in record.versions.items()),
                imported=record.origin == "import",
            )
            for (hit, record), close in zip(living, closeness, strict=True)
        ]


def _neighbour(record: TaskRecord, hit: Hit, now: float) -> Neighbour:
    return Neighbour(
        task=record.id,
        goal=record.goal,
        sequence=record.sequence,
        similarity=max(-1.0, min(1.0, hit.similarity)),  # cosines by what was learnt may be out by a rounding
        success=record.last_success,
        quality=record.quality,
        age_days=max(0.0, now - record.updated) / _DAY,
        privacy=record.privacy,
    )
