"""What the caller can correct."""

from collections.abc import Sequence

from domain.errors.base import UnderstudyError


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


class UnknownCheckpoint(UserError):
    """Neither the team nor the workspace has a checkpoint of this name."""

    code = "unknown_checkpoint"


class InvalidCheckpoint(UserError):
    """A checkpoint that cannot be read, cannot be meant, or that a machine would put in or out of force."""

    code = "invalid_checkpoint"


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


class InvalidBackup(UserError):
    """A file is no backup that can be restored, or there is nothing here that could be backed up; nothing changed."""

    code = "invalid_backup"


class InvalidImport(UserError):
    """What is to be imported has mistakes; nothing was taken in."""

    code = "invalid_import"


class UnknownGoal(UserError):
    """The workspace has set no goal of this id for itself."""

    code = "unknown_goal"


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


class InvalidPlugin(UserError):
    """A plug-in cannot be loaded, gives something else than its group is for, or broke down."""

    code = "invalid_plugin"


class InvalidSettings(UserError):
    """A setting has a bad value or an unknown name."""

    code = "invalid_settings"


class MissingExtra(InvalidSettings):
    """A setting wants a library that is not installed; the message names the extra that brings it."""

    code = "missing_extra"


class PublicAddress(InvalidSettings):
    """A server that must not be exposed has an address that is neither loopback nor private."""

    code = "public_address"


class ForeignRecords(InvalidSettings):
    """The database was begun with other records, so runs would look for their memory in the wrong place."""

    code = "foreign_records"


class InvalidProfile(UserError):
    """A profile has no such entry, or its value does not fit."""

    code = "invalid_profile"


class InvalidConsent(UserError):
    """A scope of a consent is not written as one."""

    code = "invalid_consent"


class InvalidDecision(UserError):
    """An answer does not fit the open question, which stays open."""

    code = "invalid_decision"


class NothingPending(UserError):
    """The thread has no open question with this id."""

    code = "nothing_pending"


class UnknownQuestion(UserError):
    """The workspace has no question with this id."""

    code = "unknown_question"


class QuestionClosed(UserError):
    """The question was answered before, withdrawn, or its time is over; the answer changes nothing."""

    code = "question_closed"

    def __init__(self, message: str, *, by: str, time: float) -> None:
        super().__init__(message)
        self.by = by
        """Who decided; `timeout` for the clock."""
        self.time = time
        """Unix time in seconds."""


class NotAnApprover(UserError):
    """The question is for others to answer."""

    code = "not_an_approver"


class StaleApproval(UserError):
    """The answer is for something else than what is asked now."""

    code = "stale_approval"
