"""Requests and answers about questions that wait for people."""

from typing import Any, Literal

from pydantic import Field, model_validator

from domain.questions import Question
from understudy.service.bodies.base import Asked, Shown


class DecisionAsked(Asked):
    """A decision on one request of a question."""

    type: Literal["approve", "edit", "reject", "respond"]
    args: dict[str, Any] | None = None
    """The changed arguments; only with `edit`."""
    message: str = Field(default="", max_length=20_000)
    """Reason of a rejection, or the words of a response."""


class AnswerAsked(Asked):
    """An answer to a question; who answers is whoever makes the request."""

    decisions: list[DecisionAsked] = Field(min_length=1, max_length=100)
    """One for each request that is open, in their order; a single approval or rejection answers all."""
    request: str | None = Field(default=None, min_length=1, max_length=200)
    """Id of the one request that is meant; absent: all of them."""
    digest: str = Field(default="", max_length=64)
    """Of what was shown (`Question.digest`); an answer to something else is refused."""

    @model_validator(mode="after")
    def _one_for_one(self) -> "AnswerAsked":
        if self.request is not None and len(self.decisions) != 1:
            msg = "one decision is wanted for one request"
            raise ValueError(msg)
        return self

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as the desk takes it."""
        decisions = [decision.model_dump(exclude_none=True) for decision in self.decisions]
        return {"decisions": decisions} if self.request is None else {"request": self.request, **decisions[0]}


class QuestionShown(Shown):
    """A question with who may answer it now."""

    question: Question
    answerers: dict[str, list[str]]
    """By the id of each request that is open; nobody named: everybody in the workspace who may decide."""
