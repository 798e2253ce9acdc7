"""What people are told outside of a session: that something waits for them, was done, or went wrong."""

import shlex
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

NoticeKind = Literal["asked", "escalated", "expired", "decided", "acted", "checkpoint", "proposal", "failed"]


class Notice(BaseModel):
    """One message to people; sent once, however often it is handed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    """Stable for the same event, e.g. `{question}:asked:0`: a second notice of the same id is dropped."""
    kind: NoticeKind
    workspace: str
    to: tuple[str, ...] = ()
    """Users; empty: the workspace's own channels."""
    title: str
    body: str
    """In words, without secrets; redacted again before it leaves."""
    answer: str = ""
    """Command or link to answer with."""


class Notify(Protocol):
    """Takes a notice for delivery; returns before it is delivered."""

    async def __call__(self, notice: Notice) -> None:
        """Keep the notice until it is delivered or given up."""


def acted_notice(
    *, workspace: str, run: str, step: str, done: str, why: str, to: tuple[str, ...] = (), answer: str = ""
) -> Notice:
    """Return the notice that something was done without asking.

    Args:
        workspace: Whose.
        run: The run that did it; with the step it is the notice's id.
        step: The step that did it.
        done: What was done, to whom, in words.
        why: The reason for not asking.
        to: Users; empty: the workspace's own channels.
        answer: Command that takes it back, where there is one.
    """
    return Notice(
        id=f"{run}:acted:{step}", kind="acted", workspace=workspace, to=to, title=f"Done without asking: {done}",
        body=f"{done}\nWhy nobody was asked: {why}", answer=answer,
    )  # fmt: skip


def checkpoint_notice(
    *, workspace: str, run: str, checkpoint: str, step: str, reason: str, to: tuple[str, ...] = (), answer: str = ""
) -> Notice:
    """Return the notice of a checkpoint that only notifies.

    Args:
        workspace: Whose.
        run: The run that passed it; with the checkpoint and the step it is the notice's id.
        checkpoint: Its name.
        step: The step, stage or result it stands at.
        reason: Why its condition holds.
        to: Users; empty: the workspace's own channels.
        answer: Command that shows more, where there is one.
    """
    return Notice(
        id=f"{run}:checkpoint:{checkpoint}:{step}", kind="checkpoint", workspace=workspace, to=to,
        title=f"Checkpoint {checkpoint} was passed", body=f"Checkpoint {checkpoint} at {step}: {reason}", answer=answer,
    )  # fmt: skip


def failed_notice(*, workspace: str, run: str, number: int, goal: str, why: str, user: str, command: str) -> Notice:
    """Return the notice that a run broke or failed where nobody was watching.

    Args:
        workspace: Where the run is.
        run: Its id.
        number: Of the event that says so; with the run it is the notice's id.
        goal: What it works on.
        why: What went wrong, as a sentence.
        user: For whom it works.
        command: What to do about it, or where to see more.
    """
    where = "" if workspace == "default" else f" --workspace {shlex.quote(workspace)}"
    return Notice(
        id=f"{run}:failed:{number}", kind="failed", workspace=workspace, to=(user,), title=f"Failed: {goal}",
        body=f"{goal}\n{why}", answer=f"understudy {command}{where}",
    )  # fmt: skip
