"""What became of acts, by their kind: approved, edited, rejected, done, failed, undone, complained about.

A kind (`domain.standing.kinds_of`) is narrower than what people are shown as similar (`memory.decisions`): it is what
one standing rule could cover. The latest acts of each kind are kept, with what a rule needs to know of their arguments.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.approvals import DecisionType
from domain.standing import Call, call_of, kinds_of
from memory.records import Change, Merge, Records, Value
from memory.workspaces import checked_workspace

ActOutcome = Literal["open", "done", "failed", "undone", "complained"]
KEPT = 100
"""Acts of one kind that are kept."""
TTL_SECONDS = 365 * 24 * 3600.0
"""A kind without acts for so long is forgotten."""
_ORDER: tuple[ActOutcome, ...] = ("open", "failed", "done", "undone", "complained")
"""A later one in this order replaces an earlier one, never the other way round."""


class NotedAct(BaseModel):
    """One act of a kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    """The same for the same act: its run and step, and the hash of its call."""
    tool: str
    user: str
    """For whom the run worked."""
    time: float
    """Unix time in seconds."""
    decided: DecisionType | None = None
    """What a person said; None where nobody was asked."""
    by: str = ""
    """Who decided; `timeout` for the clock."""
    outcome: ActOutcome = "open"
    recipients: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Of the arguments."""
    money: float | None = None
    """None where it moves none."""
    others: tuple[tuple[str, str], ...] = ()
    """Names and marks of the other arguments (`domain.standing.mark_of`)."""
    run: str = ""
    thread: str = ""

    @property
    def approved(self) -> bool:
        """Whether a person, not the clock, approved it as it was proposed."""
        return self.decided == "approve" and self.by != "timeout"

    @property
    def went_wrong(self) -> bool:
        """Whether a person changed or refused it, or what came of it was bad."""
        return self.decided in ("edit", "reject", "respond") or self.outcome in ("failed", "undone", "complained")

    def call(self) -> Call:
        """Return the arguments as scopes see them."""
        money = () if self.money is None else (self.money,)
        return Call(self.recipients, self.folders, money, self.others)


def noted_act(
    tool: str, args: Mapping[str, Any], *, id: str, user: str, time: float, decided: DecisionType | None = None,
    by: str = "", outcome: ActOutcome = "open", run: str = "", thread: str = "",
) -> NotedAct:  # fmt: skip
    """Return an act to be noted; its arguments are kept as marks."""
    call = call_of(args)
    return NotedAct(
        id=id, tool=tool, user=user, time=time, decided=decided, by=by, outcome=outcome, run=run, thread=thread,
        recipients=call.recipients, folders=tuple(folder or "" for folder in call.folders), names=tuple(sorted(args)),
        money=sum(amount or 0.0 for amount in call.money) if call.money else None, others=call.others,
    )  # fmt: skip


def _joined(known: Value | None, change: Value) -> Value:
    """Add an act, or what is newly known of one: the first decision stays, and what people judged."""
    acts = {act["id"]: act for act in (known or {}).get("acts", [])}
    new = change["act"]
    old = acts.get(new["id"])
    acts[new["id"]] = new if old is None else _both(old, new)
    return {"acts": sorted(acts.values(), key=lambda act: act["time"])[-KEPT:]}


def _both(old: Value, new: Value) -> Value:
    decided = {} if old.get("decided") else {"decided": new.get("decided"), "by": new.get("by", "")}
    later = max((old.get("outcome", "open"), new.get("outcome", "open")), key=_ORDER.index)
    return old | decided | {"outcome": later}


ACTED = Merge("acted", _joined)


class DecisionKinds:
    """What became of the acts of every workspace."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def note(self, workspace: str, act: NotedAct, args: Mapping[str, Any]) -> None:
        """Keep an act, or what is newly known of one, under each of its kinds; the same again changes nothing."""
        value: Value = {"act": act.model_dump(mode="json")}
        kinds = kinds_of(act.user, act.tool, args)
        changes = [Change(_key(workspace, kind.hash), value, ACTED, TTL_SECONDS) for kind in kinds]
        if changes:
            await self._records.merge_many(changes)

    async def of_kind(self, workspace: str, kind: str) -> list[NotedAct]:
        """Return the acts of a kind that are kept, the latest first; those that cannot be read are left out."""
        return _parsed(await self._records.get(_key(workspace, kind)))

    async def all(self, workspace: str) -> dict[str, list[NotedAct]]:
        """Return the acts of every kind, by the kind's hash, the latest first."""
        place = _place(workspace)
        return {key.removeprefix(place): _parsed(value) for key, value in await self._records.scan(place)}

    async def forget_runs(self, workspace: str, runs: Iterable[str]) -> None:
        """Delete for good what is kept of the acts of these runs."""
        gone = {*runs}
        for key, value in await self._records.scan(_place(workspace)):
            left = [act for act in value.get("acts", []) if act.get("run") not in gone]
            if len(left) < len(value.get("acts", [])):
                await self._records.delete(key)
                if left:
                    await self._records.put(key, {"acts": left}, ttl=TTL_SECONDS)


def _parsed(value: Value | None) -> list[NotedAct]:
    found = []
    for act in (value or {}).get("acts", []):
        try:
            found.append(NotedAct.model_validate(act))
        except ValidationError:
            continue
    return found[::-1]


def _place(workspace: str) -> str:
    return f"autonomy:kinds:{checked_workspace(workspace)}:"


def _key(workspace: str, kind: str) -> str:
    return f"{_place(workspace)}{kind}"
