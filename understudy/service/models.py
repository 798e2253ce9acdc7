"""What requests about conversations and runs say, and what they are answered."""

from typing import Any

from langgraph.types import StateSnapshot
from pydantic import BaseModel, ConfigDict, Field

from domain.events import ApprovalRequested, RunFinished, Stamped
from domain.outcomes import Outcome
from understudy.service.dispatch import Started, Strategy
from understudy.threads import TITLE_CHARS, Pending, ThreadEntry, ThreadState

ThreadName = str
_GOAL = 100_000


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewThread(_Request):
    """A conversation to begin."""

    thread: str | None = Field(default=None, max_length=100, description="Its name; drawn where none is given.")


class NewRun(_Request):
    """A goal to carry out."""

    goal: str = Field(max_length=_GOAL)
    strategy: Strategy = "reject"
    plan_only: bool = False


class Message(_Request):
    """Something said in a conversation."""

    message: str = Field(max_length=_GOAL)
    thread: str | None = Field(default=None, max_length=100)
    strategy: Strategy = "reject"


class Resumption(_Request):
    """An answer to an open question, or none to carry on what was stopped."""

    answer: Any = Field(default=None, description="Decisions in any client's form; absent carries a stopped run on.")
    interrupt: str | None = Field(default=None, max_length=200, description="Id of the question that is meant.")


class Stop(_Request):
    """How a run is to be stopped."""

    grace: float | None = Field(default=None, ge=0, le=600, description="Seconds until what goes on is cut short.")


class Title(_Request):
    """What a conversation is to be called."""

    title: str = Field(max_length=TITLE_CHARS)


class QuestionAsked(_Request):
    """A question about a run."""

    question: str = Field(min_length=1, max_length=_GOAL)


class Thread(BaseModel):
    """A conversation."""

    thread: str
    title: str
    """What somebody called it; empty: by its goal."""
    goal: str
    """The latest."""
    run: str
    user: str
    state: ThreadState
    updated: float
    """Unix time in seconds."""

    @classmethod
    def of(cls, entry: ThreadEntry, title: str) -> "Thread":
        """Return what is shown of a conversation."""
        shown = entry.model_dump(include={"thread", "goal", "run", "state", "updated"})
        return cls(**shown, title=title, user=str(entry.context.get("user", "")))


class Drawn(BaseModel):
    """The name of a conversation that can begin."""

    thread: str


class Accepted(BaseModel):
    """A run that goes on; watch it at `/threads/{thread}/stream?after=...`."""

    thread: str
    run: str
    after: int
    """Number of the conversation's last event before it."""

    @classmethod
    def of(cls, started: Started) -> "Accepted":
        """Return what is answered."""
        return cls(**started._asdict())


class Stopped(BaseModel):
    """Whether a run was going on."""

    was_going: bool


class Result(BaseModel):
    """How far a run came."""

    thread: str
    run: str
    outcome: Outcome | None = None
    """None while it waits for a person or was stopped."""
    pending: Pending | None = None

    @classmethod
    def of(cls, last: Stamped) -> "Result":
        """Return what the last event of a run says."""
        outcome = last.event.outcome if isinstance(last.event, RunFinished) else None
        asked = last.event if isinstance(last.event, ApprovalRequested) else None
        pending = Pending(interrupt=asked.interrupt, requests=asked.requests) if asked else None
        return cls(thread=last.thread, run=last.run, outcome=outcome, pending=pending)


class State(BaseModel):
    """Where a conversation stood in the graph."""

    values: dict[str, Any]
    next: list[str]
    checkpoint: str
    created: str | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, snapshot: StateSnapshot) -> "State":
        """Return what is shown of a checkpoint."""
        values = {name: _plain(value) for name, value in dict(snapshot.values).items()}
        checkpoint = snapshot.config["configurable"].get("checkpoint_id", "")
        metadata = {name: snapshot.metadata.get(name) for name in ("source", "step")} if snapshot.metadata else {}
        return cls(
            values=values, next=list(snapshot.next), checkpoint=checkpoint, created=snapshot.created_at,
            metadata=metadata,
        )  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a value of the state as JSON; only messages are not."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {"type": value.type, "content": value.text} if hasattr(value, "text") else value
