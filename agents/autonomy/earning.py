"""Earned autonomy: when people have let enough acts of one kind pass unchanged, a standing rule is proposed.

Enough is a bound, not a count. The share of acts of the kind that a person would approve is taken to be Beta(1, 1)
before anything was seen: any share is as likely as another. After `a` approvals as proposed and `w` acts that went
wrong (edited, rejected, failed, undone, complained about) it is Beta(1 + a, 1 + w), and its 5 % quantile is what the
share is above with a certainty of 95 %. A rule is proposed where that is at least the team's `earn_from`: for 0.7 after
8 approvals, after 12 where one act went wrong. Approvals by the clock, and acts nobody was asked about, do not count.
"""

from collections.abc import Sequence

from scipy.special import betaincinv  # type: ignore[import-untyped]  # ships no types

from domain.standing import Kind, Scope, StandingRule, domain_of, learnt_values
from memory.decision_kinds import NotedAct
from memory.standing_rules import Standing

CERTAINTY = 0.95
PRIOR = (1.0, 1.0)
"""Pseudo-counts of approvals and of acts that went wrong."""
COOL_DOWN_SECONDS = 30 * 24 * 3600.0
"""For so long nothing is proposed again for a kind whose rule was refused, retired or demoted."""
LASTS_SECONDS = 90 * 24 * 3600.0
"""How long a proposed rule would be in force."""
MIN_RECIPIENTS = 3
"""Different recipients at a domain before a rule for the whole domain is proposed."""


def lower_bound(approved: int, wrong: int) -> float:
    """Return what the share of approvals is above with a certainty of `CERTAINTY`, 0-1 (see the module)."""
    return float(betaincinv(PRIOR[0] + approved, PRIOR[1] + wrong, 1 - CERTAINTY))


def proposal_for(
    kind: Kind, acts: Sequence[NotedAct], earlier: Sequence[Standing], *, earn_from: float, now: float
) -> StandingRule | None:
    """Return the standing rule that a kind of act has earned, or None.

    Args:
        kind: The kind.
        acts: What became of its acts, the latest first.
        earlier: The rules that were earned with it before, however they stand.
        earn_from: What the lower bound must reach.
        now: Unix time in seconds.
    """
    approved = [act for act in acts if act.approved and not act.went_wrong]
    wrong = sum(act.went_wrong for act in acts)
    if not approved or lower_bound(len(approved), wrong) < earn_from or _is_taken(earlier, now):
        return None
    scope = _scope(kind, approved)
    if scope is None:
        return None
    return StandingRule(
        id=f"earned-{kind.hash[:12]}-{len(earlier) + 1}",
        user=acts[0].user,
        scope=scope,
        expires=now + LASTS_SECONDS,
        kind=kind.hash,
        evidence=_evidence(len(approved), wrong),
    )


def _evidence(approved: int, wrong: int) -> str:
    bound = lower_bound(approved, wrong)
    sure = f"with {CERTAINTY:.0%} certainty at least {bound:.0%} of them would be approved"
    return f"{approved} approved unchanged, {wrong} went wrong: {sure}"


def _is_taken(earlier: Sequence[Standing], now: float) -> bool:
    """Return whether a rule of the kind is open or in force, or was put out of force not long ago."""
    if any(standing.status in ("proposed", "active") for standing in earlier):
        return True
    ended = (standing.since for standing in earlier if standing.status in ("retired", "demoted", "unreadable"))
    return any(not now - since >= COOL_DOWN_SECONDS for since in ended)


def _scope(kind: Kind, approved: Sequence[NotedAct]) -> Scope | None:
    """Return the narrowest scope that covers what was approved, or None where a whole domain is not earned yet."""
    recipients = {recipient for act in approved for recipient in act.recipients}
    if kind.reach == "domain" and len(recipients) < MIN_RECIPIENTS:
        return None
    values, free = learnt_values([act.call() for act in approved])
    amounts = [act.money for act in approved if act.money is not None]
    return Scope(
        tool=approved[0].tool,
        names=approved[0].names,
        recipients=tuple(sorted(recipients)) if kind.reach == "exact" else (),
        domains=tuple(sorted({domain_of(r) or "" for r in recipients})) if kind.reach == "domain" else (),
        folders=tuple(sorted({folder for act in approved for folder in act.folders})),
        at_most=max(amounts, default=None),
        values=values,
        free=free,
    )
