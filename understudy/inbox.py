"""The inbox of a workspace: what the front desk and the Orchestrator both let people do with questions."""

from abc import ABC, abstractmethod
from typing import Any

from domain.questions import Question
from understudy.durable.desk import Desk
from understudy.settings import Settings


class Inbox(ABC):
    """Questions of the workspace that the settings name; what is due fires before they are looked at."""

    settings: Settings

    @abstractmethod
    def _at(self) -> Desk:
        """Return the desk where they wait."""

    async def inbox(self, *, closed: bool = False, limit: int = 100) -> list[Question]:
        """Return the open questions as they stand now, the next due first, or the closed ones, the latest first."""
        await self._at().settle_all()
        return await self._at().listed(self.settings.workspace, closed=closed, limit=limit)

    async def question(self, name: str) -> Question:
        """Return a question by its id, the beginning of it, or its thread.

        Raises:
            UnknownQuestion: There is none, or more than one.
        """
        await self._at().settle_all()
        return await self._at().look_up(self.settings.workspace, name)

    async def answer(self, question: str, answer: Any, *, by: str | None = None, digest: str = "") -> Question:
        """Take an answer to a question and return how it stands; its run goes on when it is resumed.

        Args:
            question: Its id.
            answer: Decisions in any client's form for all requests that are open, or `{"request": id, ...}` for one.
            by: Who answers; None: the user of the settings.
            digest: Of what the person was shown; an answer to something else is refused.

        Raises:
            UnknownQuestion: The workspace has no such question.
            QuestionClosed: It is decided, expired or withdrawn; says by whom and when.
            NotAnApprover: Others are asked.
            StaleApproval: Something else is asked than the person was shown.
            InvalidDecision: The answer does not fit; the question stays open.
        """
        by = self.settings.user if by is None else by
        return await self._at().answer(self.settings.workspace, question, answer, by=by, digest=digest)
