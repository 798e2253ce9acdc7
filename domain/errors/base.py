"""The root of the tree, and what a person, the planner or nobody acts on."""

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


class PlanError(UnderstudyError):
    """A plan cannot be run; `problems` holds `domain.plans.Problem` values."""

    code = "invalid_plan"

    def __init__(self, problems: Sequence[Any]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ConsentNeeded(UnderstudyError):
    """Work came to data or to a tool that needs a consent which nobody has given or refused; `scopes` names them."""

    code = "consent_needed"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(f"a person is to agree to {', '.join(scopes)} first")
        self.scopes = tuple(scopes)


class EffectUnknown(UnderstudyError):
    """An external effect began and left no result, so it may have happened; it is not repeated blindly."""

    code = "effect_unknown"


class EffectUndone(UnderstudyError):
    """An external effect happened and was taken back since, so its result does not hold any more."""

    code = "effect_undone"


class RunFenced(UnderstudyError):
    """Another process has taken the run over; this one must write nothing and do nothing more for it."""

    code = "run_fenced"


class LimitReached(UnderstudyError):
    """A named bound ended the work; what was done is kept."""

    code = "budget_exceeded"
