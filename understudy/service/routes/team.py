"""The team that works, and its tools."""

from typing import Annotated

from fastapi import APIRouter, Path

from understudy.service.bodies.team import SpecialistShown, TeamShown, ToolShown
from understudy.service.caller import Reader
from understudy.tool_desk import Standing

router = APIRouter(tags=["team"])


@router.get("/team")
async def show_team(caller: Reader) -> TeamShown:
    """Return the team: who does what with which tools, its checkpoints and when its work is good enough."""
    playing = await caller.installation.house.playing(caller.orchestrator.context.team)
    team = playing.team
    return TeamShown(
        name=team.name,
        version=team.version,
        description=team.description,
        mode=playing.cast.mode,
        specialists=[SpecialistShown.of(each) for each in team.specialists],
        checkpoints=list(team.checkpoints),
        quality=team.quality,
        constraints=list(team.constraints),
        templates=[template.name for template in team.templates],
        resources=[resource.name for resource in team.resources],
    )


@router.get("/tools")
async def list_tools(caller: Reader) -> list[ToolShown]:
    """Return every tool that a run gets, with how reliable it is and whether it rests."""
    return [_shown(each) for each in await caller.orchestrator.tools.standings()]


@router.get("/tools/{name}")
async def show_tool(caller: Reader, name: Annotated[str, Path(min_length=1, max_length=200)]) -> ToolShown:
    """Return one tool, with how reliable it is and whether it rests."""
    return _shown(await caller.orchestrator.tools.standing(name))


def _shown(standing: Standing) -> ToolShown:
    tool, seen = standing.tool, standing.seen
    return ToolShown(
        name=tool.name,
        description=tool.description,
        origin=tool.origin,
        effect=tool.effect,
        undoable=tool.undo is not None,
        privacy=tool.privacy,
        consent=list(tool.consent),
        level=tool.level,
        expected=standing.expected,
        calls=seen.calls,
        mean_seconds=seen.seconds / seen.weight if seen.weight else None,
        breaker=standing.breaker,
        alternatives=list(tool.alternatives),
    )
