"""What an agent is told, to choose another way: nothing was changed, but where it says so."""

from domain.errors.base import UnderstudyError


class ToolError(UnderstudyError):
    """A tool could not do what was asked; nothing was changed."""

    code = "tool_failed"


class ToolRefused(ToolError):
    """The tool refuses what was asked and would refuse it again; only other arguments or another way can help."""

    code = "tool_refused"


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


class ActionRefused(ToolError):
    """A refused consent or a checkpoint that blocks forbids it; nothing happened."""

    code = "action_refused"


class ApprovalNeeded(ToolError):
    """No ruling and no person has allowed exactly this; nothing happened, and a person is asked."""

    code = "approval_needed"


class PrivateData(ToolError):
    """Data may not be given to whoever would get it; nothing was given."""

    code = "private_data"


class ConsentRefused(ToolError):
    """The person has refused a consent that it needs; nothing happened."""

    code = "consent_refused"


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
