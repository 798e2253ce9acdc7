"""What passes between the scheduler, the expansion of steps, and whoever does the work."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, TypeVar

from langgraph.errors import GraphDrained

from domain.approvals import ActionRequest
from domain.outcomes import StepResult
from domain.plans import Step

T = TypeVar("T")


class StepReport(NamedTuple):
    """A step's result, and the questions to a person that hold it, if any."""

    result: StepResult
    requests: tuple[ActionRequest, ...] = ()


Inputs = Mapping[str, StepResult]
Slot = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for leave to work, holds it for the length of the block, and gives it back."""
Work = Callable[[Step, Inputs, Slot], Awaitable[StepReport]]
"""Does a step whose inputs are there; what takes time happens in a slot."""
Launch = Callable[[Step, Callable[[], Awaitable[StepReport]]], Awaitable[StepReport]]
"""Starts a step's body at once and returns something to await its report with."""


async def all_of(work: Iterable[Awaitable[T]]) -> list[T]:
    """Return all results in order, when everything has ended.

    Raises:
        BaseException: The first error that came up; one that merely says that a run is drained gives way to others.
    """
    ended = await asyncio.gather(*work, return_exceptions=True)
    errors = [each for each in ended if isinstance(each, BaseException)]
    for error in sorted(errors, key=lambda each: isinstance(each, GraphDrained)):
        raise error
    return [each for each in ended if not isinstance(each, BaseException)]
