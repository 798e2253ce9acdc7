"""Questions that wait for people, and their decisions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from domain.questions import Question
from understudy.service.bodies.approvals import AnswerAsked, QuestionShown
from understudy.service.caller import Approver, Caller, Reader

router = APIRouter(prefix="/approvals", tags=["approvals"])
Limit = Annotated[int, Query(ge=1, le=500)]
Id = Annotated[str, Path(min_length=1, max_length=200, description="Id, the beginning of it, or the thread.")]


@router.get("")
async def list_questions(caller: Reader, *, closed: bool = False, limit: Limit = 100) -> list[Question]:
    """Return the open questions, the next due first; or the closed ones, the latest first."""
    return await caller.orchestrator.inbox(closed=closed, limit=limit)


@router.get("/{question}")
async def show_question(caller: Reader, question: Id) -> QuestionShown:
    """Return a question as it stands now, with who may answer it."""
    return await _shown(caller, await caller.orchestrator.question(question))


@router.post("/{question}")
async def answer_question(caller: Approver, question: Id, asked: AnswerAsked) -> QuestionShown:
    """Decide; as soon as nothing is open any more, the run goes on by itself."""
    meant = await caller.orchestrator.question(question)
    answered = await caller.orchestrator.answer(meant.id, asked.answer, digest=asked.digest)
    if answered.status == "decided":
        await caller.installation.dispatch.go_on(caller.orchestrator, answered.id)
    return await _shown(caller, answered)


async def _shown(caller: Caller, question: Question) -> QuestionShown:
    found = await caller.installation.house.desk.answerers(caller.workspace, question.id)
    return QuestionShown(question=question, answerers={request: list(users) for request, users in found.items()})
