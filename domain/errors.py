"""Every error Understudy raises on purpose, in one tree, classed by who must act.

UnderstudyError
├── UserError                the caller corrects the request
│   ├── InvalidGoal          empty, too long, not text
│   ├── UnknownTeam / UnknownAgent / UnknownThread / UnknownTask
│   ├── UnknownRule / InvalidRule
│   ├── UnknownRun / InvalidFeedback
│   ├── UnknownTrial / InvalidTrial
│   ├── InvalidImport        names every line that cannot be read; nothing was taken in
│   ├── UnknownFolder        the data folder does not exist
│   ├── InvalidWorkspace
│   ├── InvalidState         a value does not fit its place in the working state
│   ├── InvalidTeamFile      carries every mistake with its line
│   ├── InvalidTool          a declared tool cannot be made from what its source offers
│   ├── InvalidSettings
│   │   └── PublicAddress    a server that must stay private is at a public address
│   ├── InvalidProfile
│   ├── InvalidDecision      an answer that does not fit the open question (it stays open)
│   └── NothingPending       a decision for a question that is not open
├── PlanError                the planner repairs it: carries coded problems
├── ToolError                the agent is told and chooses another way; nothing was changed
│   ├── InvalidArguments
│   ├── PathNotAllowed
│   ├── QueryNotAllowed
│   ├── ConstraintViolated   a rule of the workspace forbids it
│   ├── TransformFailed      a context could not be made ready for the next agent
│   ├── OutputTooLarge       it gave more than anybody can use
│   ├── MalformedOutput      it worked, but what it gave is not what it promises
│   ├── ToolCrashed          it broke down while it worked: whether it changed something is unknown
│   ├── AddressNotAllowed    a host that is not on the list, or an address nobody may call
│   ├── ToolAway             it cannot be reached, or rests because it broke down time after time
│   ├── ToolChanged          it is not what was confirmed; a person looks at it first
│   ├── ResourceBusy         nothing that could do the step has a place free
│   ├── ResourceUnavailable  nothing that could do the step may be given it
│   └── ToolTimeout
├── ModelError               the next model, then the rule-based twin, takes over
│   ├── ModelUnavailable     connection, time-out, 5xx, rate limit after retries, bad key
│   ├── ModelRefused
│   └── MalformedAnswer      the answer did not fit the schema after bounded repair
├── StorageError             the operator acts
│   ├── StorageAway          a server that keeps the memory cannot be reached now; what can wait is queued on disk
│   │   └── EncoderAway      texts cannot be turned into vectors now; nothing is recalled meanwhile
│   ├── StorageRefused       the server refuses this one write, and would again
│   ├── StorageBusy          another process owns the data folder; names it
│   ├── StorageCorrupt
│   └── StorageFull
├── EffectUnknown            a person looks: an external effect began, and nobody knows whether it happened
├── EffectUndone             an external effect was taken back; only a new run can have it again
└── LimitReached             a named bound ended the run; what was done is kept
"""

from collections.abc import Sequence
from typing import Any


class UnderstudyError(Exception):
    """Base of all errors raised on purpose; `code` is stable, `str()` is one sentence for a person."""

    code = "error"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling whatever the constructor's signature, since errors cross process borders."""
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[UnderstudyError], args: tuple[Any, ...], fields: dict[str, Any]) -> UnderstudyError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class UserError(UnderstudyError):
    """The caller can correct this."""

    code = "user_error"


class InvalidGoal(UserError):
    """The goal is empty, too long or not text."""

    code = "invalid_goal"


class UnknownTeam(UserError):
    """No team has this name."""

    code = "unknown_team"


class UnknownAgent(UserError):
    """No specialist of the team has this name."""

    code = "unknown_agent"


class UnknownThread(UserError):
    """No thread has this id."""

    code = "unknown_thread"


class UnknownTask(UserError):
    """No remembered task has this id."""

    code = "unknown_task"


class UnknownRule(UserError):
    """The workspace has no rule with this id in the wanted state."""

    code = "unknown_rule"


class InvalidRule(UserError):
    """A rule has mistakes, or may not be put in force by whoever tries."""

    code = "invalid_rule"


class InvalidState(UserError):
    """A value does not fit its place in the working state."""

    code = "invalid_state"


class UnknownRun(UserError):
    """The workspace remembers no such run."""

    code = "unknown_run"


class InvalidFeedback(UserError):
    """Feedback says nothing, or something that is out of bounds."""

    code = "invalid_feedback"


class UnknownTrial(UserError):
    """The workspace has no trial of this name."""

    code = "unknown_trial"


class InvalidTrial(UserError):
    """A trial cannot be held: its variants, its share or its name do not do."""

    code = "invalid_trial"


class InvalidImport(UserError):
    """What is to be imported has mistakes; nothing was taken in."""

    code = "invalid_import"


class UnknownFolder(UserError):
    """The data folder does not exist or is not a folder."""

    code = "unknown_folder"


class InvalidWorkspace(UserError):
    """The workspace name is not usable."""

    code = "invalid_workspace"


class InvalidTeamFile(UserError):
    """A team file has mistakes; `mistakes` lists each with its line."""

    code = "invalid_team_file"

    def __init__(self, path: str, mistakes: Sequence[str]) -> None:
        super().__init__(f"{path} has {len(mistakes)} mistake(s):\n" + "\n".join(f"  {m}" for m in mistakes))
        self.path = path
        self.mistakes = tuple(mistakes)


class InvalidTool(UserError):
    """A tool that a team declares cannot be made from what its source offers."""

    code = "invalid_tool"


class InvalidSettings(UserError):
    """A setting has a bad value or an unknown name."""

    code = "invalid_settings"


class PublicAddress(InvalidSettings):
    """A server that must not be exposed has an address that is neither loopback nor private."""

    code = "public_address"


class InvalidProfile(UserError):
    """A profile has no such entry, or its value does not fit."""

    code = "invalid_profile"


class InvalidDecision(UserError):
    """An answer does not fit the open question, which stays open."""

    code = "invalid_decision"


class NothingPending(UserError):
    """The thread has no open question with this id."""

    code = "nothing_pending"


class PlanError(UnderstudyError):
    """A plan cannot be run; `problems` holds `domain.plans.Problem` values."""

    code = "invalid_plan"

    def __init__(self, problems: Sequence[Any]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ToolError(UnderstudyError):
    """A tool could not do what was asked; nothing was changed."""

    code = "tool_failed"


class InvalidArguments(ToolError):
    """The arguments do not fit the tool's schema."""

    code = "invalid_arguments"


class PathNotAllowed(ToolError):
    """The path lies outside the allowed folder."""

    code = "path_not_allowed"


class QueryNotAllowed(ToolError):
    """The query would write, reach outside its folder, or names something unknown."""

    code = "query_not_allowed"


class ConstraintViolated(ToolError):
    """A hard rule of the workspace forbids it; nothing happened."""

    code = "constraint_violated"


class TransformFailed(ToolError):
    """A context could not be made ready for the agent that takes over; it is as it was."""

    code = "transform_failed"


class AddressNotAllowed(ToolError):
    """The host is not on the tool's list, or its address is one that must not be called; nothing was sent to it."""

    code = "address_not_allowed"


class ToolAway(ToolError):
    """The tool's server cannot be reached, or the tool rests because it broke down; nothing was asked of it."""

    code = "tool_away"


class ToolChanged(ToolError):
    """The tool's server describes it otherwise than when it was confirmed; nothing was asked of it."""

    code = "tool_changed"


class ResourceBusy(ToolError):
    """Nothing that could do the step has a place free, or all of it has failed."""

    code = "resource_busy"


class ResourceUnavailable(ToolError):
    """Resources are declared for the step, and privacy, consent or the team's tools keep it from each."""

    code = "resource_unavailable"


class ToolTimeout(ToolError):
    """The tool did not answer in time."""

    code = "tool_timeout"


class OutputTooLarge(ToolError):
    """The tool gave more than may be kept; it must be asked for less."""

    code = "output_too_large"


class MalformedOutput(ToolError):
    """The tool or the step worked, but its output is not what it declares."""

    code = "malformed_output"


class ToolCrashed(ToolError):
    """The tool broke down while it worked; like a time-out, this leaves open what it changed."""

    code = "tool_crashed"


class ModelError(UnderstudyError):
    """A model call failed in a way that another model or the rule-based twin can make good."""

    code = "model_failed"


class ModelUnavailable(ModelError):
    """The model cannot be reached, timed out, limits us, or refuses the key."""

    code = "model_unavailable"


class ModelRefused(ModelError):
    """The model declined to answer."""

    code = "model_refused"


class MalformedAnswer(ModelError):
    """The model's answer did not fit the wanted schema after the allowed repairs."""

    code = "malformed_answer"


class StorageError(UnderstudyError):
    """The data folder cannot be used; an operator acts."""

    code = "storage_failed"


class StorageAway(StorageError):
    """A server that keeps the memory cannot be reached; the same call may succeed later."""

    code = "storage_away"


class EncoderAway(StorageAway):
    """The encoder cannot be reached, refuses the key, or gives no vectors of its kind; nothing is recalled now."""

    code = "encoder_away"


class StorageRefused(StorageError):
    """The server refuses one write for a reason that stays, such as a value of another type under its key."""

    code = "storage_refused"


class StorageBusy(StorageError):
    """Another process owns the data folder."""

    code = "storage_busy"


class StorageCorrupt(StorageError):
    """A file in the data folder is damaged."""

    code = "storage_corrupt"


class StorageFull(StorageError):
    """No space is left on the device."""

    code = "storage_full"


class EffectUnknown(UnderstudyError):
    """An external effect began and left no result, so it may have happened; it is not repeated blindly."""

    code = "effect_unknown"


class EffectUndone(UnderstudyError):
    """An external effect happened and was taken back since, so its result does not hold any more."""

    code = "effect_undone"


class LimitReached(UnderstudyError):
    """A named bound ended the work; what was done is kept."""

    code = "budget_exceeded"
