"""What makes the next model, or the rule-based twin, take over."""

from domain.errors.base import UnderstudyError


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
