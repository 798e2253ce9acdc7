"""The client: what the Orchestrator lets people do, on a server."""

from collections.abc import Mapping
from dataclasses import fields
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import SecretStr

from domain.approvals import Decision
from domain.errors import InvalidSettings
from domain.goals import checked_goal
from domain.routing import RouteDecision
from understudy.client.calls import Calls
from understudy.client.conversations import Conversations
from understudy.client.judged import Judged
from understudy.client.questions import Questions
from understudy.client.reading import part, read
from understudy.client.running import Running

if TYPE_CHECKING:
    from agents.delegation.delegator import Selection
    from agents.delegation.standings import Standing
    from graph.bottlenecks import Bottlenecks
    from graph.trace import Trace
    from memory.friction import FrictionWeek
    from memory.scopes import Entry
    from memory.success import Analysis, Success
    from understudy.past import Undone
    from understudy.previews import Preview
    from understudy.settings import Settings
    from understudy.standing import Status

T = TypeVar("T")
PATIENCE = 90.0
"""Seconds for which a server that was there and is away is tried again; longer than it takes one that was killed to let
go of what it was asked."""
SILENCE = 60.0
"""Seconds without a byte after which a stream counts as broken; it says more often that it is still there."""
ANSWER = 300.0
"""Seconds after which a call counts as unanswered; planning may ask a model several times."""

_MOST_WEEKS = 52
"""Weeks that a server tells of at once."""


class Client(Running, Questions, Conversations):
    """Works in one workspace of a server; an async context manager, to be used in one event loop."""

    def __init__(
        self,
        url: str,
        *,
        key: SecretStr | str | None = None,
        workspace: str | None = None,
        patience: float = PATIENCE,
        silence: float = SILENCE,
        answer: float = ANSWER,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Set up; nothing is asked yet.

        Args:
            url: Where the server is: `https://...`, or `http://...` on this machine.
            key: API key, which says who asks; None: whoever the server takes this machine for.
            workspace: Where to work; None: the one that the key belongs to.
            patience: Seconds for which a server that was there and is away is tried again.
            silence: Seconds without a byte after which a stream counts as broken.
            answer: Seconds after which a call counts as unanswered.
            transport: Carries requests in place of the network, for example to an application in this process.

        Raises:
            InvalidSettings: The URL or the key cannot be one.
            InsecureAddress: The URL is without TLS, and not on this machine.
        """
        super().__init__()
        key = SecretStr(key) if isinstance(key, str) else key
        self._calls = Calls(url, key, workspace, patience=patience, silence=silence, answer=answer, transport=transport)

    @classmethod
    def of(cls, settings: "Settings") -> "Client":
        """Return a client of the server that the settings name, in their workspace where they name one.

        Raises:
            InvalidSettings: They name no server, or one that cannot be used.
        """
        if settings.server_url is None:
            raise InvalidSettings("no server is named: set UNDERSTUDY_SERVER_URL")
        workspace = settings.workspace if "workspace" in settings.model_fields_set else None
        return cls(
            settings.server_url, key=settings.server_key, workspace=workspace, patience=settings.server_patience
        )  # fmt: skip

    async def __aenter__(self) -> "Client":
        """Return the client; the server is asked first when something is wanted."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; runs go on."""
        await self._calls.close()

    async def route(self, goal: str) -> RouteDecision:
        """Return which way a goal would go, with the sequence of agents; nothing is executed or remembered."""
        return read(RouteDecision, await self._calls.post("orchestrate", body={"goal": checked_goal(goal)}))

    async def plan(self, goal: str) -> "Preview":
        """Return the plan that a goal would get, with what would do its steps and what else was weighed."""
        from understudy.previews import Preview

        return read(Preview, await self._calls.post("plan", body={"goal": checked_goal(goal)}))

    async def select_agent(self, task_type: str, fallback: str, goal: str | None = None) -> "Selection":
        """Choose who of the team should do a task, from what came of earlier ones; nothing is executed.

        Args:
            task_type: A kind of step as `standings` names it, a kind of query, or a capability.
            fallback: Who does it where nothing was seen yet.
            goal: The task's text.

        Raises:
            UnknownAgent: The team has no agent of the fallback's name.
        """
        from agents.delegation.delegator import Selection

        body = {"task_type": task_type, "fallback": fallback, "goal": goal}
        return _made(Selection, await self._calls.post("select-agent", body=body))

    async def trace(self, run: str) -> "Trace":
        """Return what happened in a run, by its id or the name of its thread, which means the latest run there.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        from graph.trace import Trace

        return read(Trace, await self._calls.get("trace", run))

    async def bottlenecks(self, *, runs: int = 200) -> "Bottlenecks":
        """Return where the time of the workspace's latest runs went, and of the slowest of them.

        Args:
            runs: How many at most, of those that have ended.
        """
        from graph.bottlenecks import Bottlenecks

        return read(Bottlenecks, await self._calls.get("bottlenecks", runs=runs))

    async def undo(self, run: str, answers: Mapping[str, Decision] | None = None) -> "Undone":
        """Take back what a run changed, by its id or the name of its thread; doing it again goes on from there.

        Args:
            run: Which run; one that waits or was interrupted is given up with it.
            answers: What a person found out where the ledger could not tell, by the id of the question.

        Raises:
            UnknownRun: The workspace has no such run.
        """
        from understudy.past import Undone

        given = {name: answer.model_dump(mode="json", exclude={"by"}) for name, answer in (answers or {}).items()}
        return read(Undone, await self.when_let_go(lambda: self._calls.post("undo", run, body={"answers": given})))

    async def feedback(self, run: str, *, rating: int | None = None, correction: str = "") -> Judged:
        """Give a judgement of a run, by its id or the name of its thread; the next route heeds it.

        Raises:
            UnknownRun: The workspace remembers no such run.
            InvalidFeedback: There is neither a rating from 1 to 5 nor a correction.
        """
        body = {"run": run, "rating": rating, "correction": correction}
        return _made(Judged, await self._calls.post("feedback", body=body))

    async def performance(self) -> "Analysis":
        """Return how the workspace's latest runs went, by sequence, agent and kind."""
        from memory.success import Analysis

        shown = part(await self._calls.get("performance"), *Analysis._fields)
        groups = {
            name: list(map(_success, read(list[Any], shown.get(name)))) for name in ("sequences", "agents", "kinds")
        }
        errors = [tuple(part(each, "code", "runs").values()) for each in read(list[Any], shown.get("errors"))]
        return read(Analysis, shown | groups | {"overall": _success(shown.get("overall")), "errors": errors})

    async def standings(self) -> "list[Standing]":
        """Return how each agent of the team did at each kind of step in the workspace."""
        from agents.delegation.standings import Standing

        return [_made(Standing, each) for each in read(list[Any], await self._calls.get("standings"))]

    async def state(self, thread: str | None = None) -> "list[Entry]":
        """Return the workspace's working state, or one conversation's, outermost scope first."""
        from memory.scopes import Entry

        return read(list[Entry], await self._calls.get("memory", "state", thread=thread))

    async def status(self) -> "Status":
        """Return how the installation stands."""
        from understudy.client.stand import status_of

        return status_of(await self._calls.get("system", "status"), str(self._calls.address))

    async def friction(self, *, weeks: int = 4) -> "list[FrictionWeek]":
        """Return how often people were bothered, by user and week, the latest first."""
        from memory.friction import FrictionWeek

        shown = part(await self._calls.get("experience", weeks=min(weeks, _MOST_WEEKS)), "weeks")
        return [_made(FrictionWeek, each) for each in read(list[Any], shown.get("weeks"))]


def _made(kind: type[T], value: Any) -> T:
    """Return a plain tuple or dataclass from an answer that may show more than its fields."""
    names = getattr(kind, "_fields", None) or [each.name for each in fields(kind)]  # type: ignore[arg-type]
    return read(kind, part(value, *names))


def _success(value: Any) -> "Success":
    from memory.success import Interval, Success

    shown = part(value, *Success._fields)
    return read(Success, shown | {"interval": _made(Interval, shown.get("interval"))})
