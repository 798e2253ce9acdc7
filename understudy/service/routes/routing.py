"""Where a goal would go, who would do it, and texts that are refined; nothing of a plan is carried out."""

from fastapi import APIRouter

from domain.routing import RouteDecision
from understudy.previews import Preview
from understudy.refining import Refined
from understudy.service.bodies.routing import GoalAsked, RefinementAsked, SelectionAsked, SelectionShown
from understudy.service.caller import Runner

router = APIRouter(tags=["routing"])


@router.post("/orchestrate")
async def orchestrate(caller: Runner, asked: GoalAsked) -> RouteDecision:
    """Decide which way a goal would go, with the sequence of agents and the reasons; nothing is carried out."""
    return await caller.orchestrator.route(asked.goal)


@router.post("/plan")
async def plan(caller: Runner, asked: GoalAsked) -> Preview:
    """Plan a goal: its steps, what would do them, and what else was weighed; nothing is carried out."""
    return await caller.orchestrator.plan(asked.goal)


@router.post("/select-agent")
async def select_agent(caller: Runner, asked: SelectionAsked) -> SelectionShown:
    """Choose who of the team should do a task, from what came of earlier ones; nothing is carried out."""
    selection = await caller.orchestrator.select_agent(
        asked.task_type, caller.workspace, asked.fallback, asked.goal
    )  # fmt: skip
    return SelectionShown.of(selection)


@router.post("/execute/self-correct")
async def self_correct(caller: Runner, asked: RefinementAsked) -> Refined:
    """Criticise and revise a text, or a draft for a goal, until it is good enough or no revision helps any more."""
    return await caller.orchestrator.refine(
        text=asked.text,
        goal=asked.goal,
        content_type=asked.content_type,
        criteria=asked.criteria,
        max_iterations=asked.max_iterations,
        min_quality_score=asked.min_quality_score,
    )
