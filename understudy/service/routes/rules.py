"""What may be done without asking (standing rules), and what may not be done at all (constraints)."""

from typing import Annotated

from fastapi import APIRouter, Path

from domain.autonomy import Tier
from domain.standing import StandingRule
from memory.constraints import Version, parsed_rule
from memory.standing_rules import Standing
from understudy.service.bodies.rules import (
    RULE_NAME,
    ConstraintProposed,
    ConstraintsShown,
    Reason,
    RuleHistoryShown,
    RuleProposed,
    RuleShown,
    TierWanted,
)
from understudy.service.caller import Manager, Reader

router = APIRouter(tags=["rules"])
RuleId = Annotated[str, Path(pattern=RULE_NAME, description="Id of a rule.")]


@router.get("/rules")
async def list_rules(caller: Reader) -> list[RuleShown]:
    """Return every standing rule and how it stands, the last changed first."""
    return [_shown(each) for each in await (await caller.orchestrator.rules()).listed()]


@router.post("/rules", status_code=201)
async def propose_rule(caller: Manager, proposed: RuleProposed) -> StandingRule:
    """Propose a standing rule by hand; it is in force once it is accepted."""
    rules = await caller.orchestrator.rules()
    return await rules.propose(proposed.name, proposed.scope, days=proposed.days, user=proposed.user)


@router.get("/rules/{rule}")
async def show_rule(caller: Reader, rule: RuleId) -> RuleHistoryShown:
    """Return a standing rule, how it stands, and how it came to that."""
    rules = await caller.orchestrator.rules()
    shown = _shown(await rules.get(rule))
    return RuleHistoryShown(**dict(shown), history=await rules.history(rule))


@router.post("/rules/{rule}/accept")
async def accept_rule(caller: Manager, rule: RuleId) -> StandingRule:
    """Put a proposed rule in force."""
    return await (await caller.orchestrator.rules()).accept(rule)


@router.post("/rules/{rule}/revoke")
async def revoke_rule(caller: Manager, rule: RuleId, reason: Reason | None = None) -> StandingRule:
    """Put a rule out of force, or refuse a proposed one."""
    return await (await caller.orchestrator.rules()).retire(rule, reason.why if reason else "")


@router.get("/trust")
async def list_trust(caller: Reader) -> dict[str, Tier]:
    """Return how much may be done without asking, by user; everybody else has the team's tier."""
    return await (await caller.orchestrator.rules()).tiers()


@router.post("/trust")
async def set_trust(caller: Manager, wanted: TierWanted) -> dict[str, Tier]:
    """Say how much may be done for a user without asking, and return the tiers of all."""
    rules = await caller.orchestrator.rules()
    await rules.trust(wanted.user, wanted.tier)
    return await rules.tiers()


@router.get("/constraints")
async def list_constraints(caller: Reader) -> ConstraintsShown:
    """Return the hard rules in force, and those that wait for acceptance."""
    constraints, workspace = caller.orchestrator.constraints, caller.workspace
    active = await constraints.active(workspace)
    return ConstraintsShown(
        rules=list(active.rules), hash=active.hash, proposals=await constraints.proposals(workspace)
    )


@router.get("/constraints/history")
async def show_constraint_history(caller: Reader) -> list[Version]:
    """Return every version of every hard rule, oldest first."""
    return await caller.orchestrator.constraints.history(caller.workspace)


@router.post("/constraints", status_code=201)
async def propose_constraint(caller: Manager, proposed: ConstraintProposed) -> Version:
    """Propose a hard rule, or a new version of one; it is in force once it is accepted."""
    rule, orchestrator = parsed_rule(proposed.rule), caller.orchestrator
    return await orchestrator.constraints.propose(caller.workspace, rule, orchestrator.person)


@router.post("/constraints/{rule}/accept")
async def accept_constraint(caller: Manager, rule: RuleId) -> Version:
    """Put the latest proposed version of a hard rule in force."""
    return await caller.orchestrator.constraints.accept(caller.workspace, rule, caller.orchestrator.person)


@router.delete("/constraints/{rule}")
async def retire_constraint(caller: Manager, rule: RuleId) -> Version:
    """Put a hard rule out of force; its versions stay in the history."""
    return await caller.orchestrator.constraints.retire(caller.workspace, rule, caller.orchestrator.person)


def _shown(standing: Standing) -> RuleShown:
    return RuleShown(words=standing.rule.words, **standing._asdict())
