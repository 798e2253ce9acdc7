"""What people thought of runs."""

from fastapi import APIRouter

from understudy.service.bodies.performance import FeedbackAsked, FeedbackShown
from understudy.service.caller import Runner

router = APIRouter(tags=["feedback"])


@router.post("/feedback")
async def give_feedback(caller: Runner, asked: FeedbackAsked) -> FeedbackShown:
    """Judge a run; the next route heeds it, and judging the run again replaces the judgement."""
    received = await caller.orchestrator.feedback(asked.run, rating=asked.rating, correction=asked.correction)
    return FeedbackShown(
        run=received.feedback.run,
        accepted=received.feedback.accepted,
        reward=received.reward,
        samples=received.samples,
        successes=received.successes,
        failures=received.failures,
    )
