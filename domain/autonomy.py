"""Who decides about an act: the system alone, the system that tells a person, or a person. Pure.

Every act of the system passes `decide`. What is not known counts against the act. The order of the rules is fixed, so
nothing that stands further down can outvote what stands above it:

1. What forbids: a violated constraint, a refused consent, a checkpoint that blocks.
2. What a person is asked about whatever else: words that only untrusted content says, an effect that the goal did not
   ask for, a consent that was not given, anything that could not be found out.
3. A checkpoint that escalates.
4. A checkpoint that asks, unless a standing rule covers the act.
5. The user's trust tier against the risk, unless a standing rule covers the act.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.plans import Effect, Privacy
from domain.risk import Reversibility, Risk, risk_of
from domain.verdicts import CheckpointVerdict

Tier = Literal["cautious", "standard", "trusted"]
"""How much the system may do by itself for a user.

- `cautious`: every effect is asked about, whatever standing rules there are.
- `standard`: what can be undone is done, and told where the risk is middling; what cannot is asked about.
- `trusted`: only high risk is asked about.
"""
TIERS: tuple[Tier, ...] = ("cautious", "standard", "trusted")
"""The least trust first."""
Action = Literal["act", "act_and_notify", "ask", "escalate", "refuse"]
ACTIONS: tuple[Action, ...] = ("act", "act_and_notify", "ask", "escalate", "refuse")
"""The freest first."""
DecidingRule = Literal[
    "constraint", "consent_refused", "checkpoint", "untrusted_origin", "consent_missing", "unknown",
    "standing_rule", "tier", "no_effect", "taking_back",
]  # fmt: skip


class Autonomy(BaseModel):
    """How far a team's work may go by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier: Tier = "standard"
    """Of users whom nobody has given another one."""
    called_for: tuple[str, ...] = ()
    """Tools that every goal given to the team asks for, whatever its words; of others the goal must speak."""
    notify_above: float = Field(default=0.3, ge=0, le=1)
    """Risk from which an act is told."""
    ask_above: float = Field(default=0.6, ge=0, le=1)
    """Risk from which a person is asked, whatever the tier."""
    doubt_below: float = Field(default=0.3, ge=0, le=1)
    """Confidence below which an act is told, and asked about where it cannot be undone."""
    earn_from: float = Field(default=0.7, ge=0.5, le=0.99)
    """Share of approvals that must be certain enough before a standing rule is proposed (`agents.autonomy.earning`)."""


class Proposal(BaseModel):
    """An act with everything known of it; a field that nobody filled in counts as the worst."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    digest: str = ""
    """Hash of tool and arguments (`call_digest`): the ruling holds for these only."""
    effect: Effect = "write"
    confidence: float | None = None
    """How sure the system is of the plan that the act belongs to, 0-1."""
    reversibility: Reversibility = "unknown"
    count: float | None = None
    """To how many it goes, or how many things it changes."""
    recipients: tuple[str, ...] = ()
    money: float | None = None
    novelty: float | None = None
    """How unlike what was done before it is, 0-1."""
    privacy: Privacy | None = None
    tier: Tier = "cautious"
    bounds: Autonomy = Autonomy()
    violations: tuple[str, ...] | None = None
    """Constraints that forbid it, in words; None: nobody has looked."""
    checkpoints: tuple[CheckpointVerdict, ...] | None = None
    """What the checkpoints at this place say; None: nobody has looked."""
    consents_refused: tuple[str, ...] | None = None
    consents_missing: tuple[str, ...] | None = None
    untrusted: tuple[str, ...] | None = None
    """What a person must see because nobody stands behind it, in words; None: nobody has looked."""
    standing_rule: str = ""
    """Id of the active standing rule that covers exactly this act; empty without one."""
    unknown: tuple[str, ...] = ()
    """What could not be found out, in words."""

    @property
    def risk(self) -> Risk:
        """What could go wrong."""
        return risk_of(
            self.effect, self.reversibility,
            count=self.count, money=self.money, novelty=self.novelty, privacy=self.privacy,
        )  # fmt: skip


class Ruling(BaseModel):
    """What is done about a proposal, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    reason: str
    """In words for a person."""
    rule: DecidingRule
    """What decided."""
    considered: tuple[str, ...] = ()
    """What was looked at on the way, in order; the last one decided."""
    tool: str = ""
    digest: str = ""
    risk: float = 1.0
    """0-1."""
    tier: Tier = "cautious"
    standing_rule: str = ""

    @property
    def acts(self) -> bool:
        """Whether the system may do it without asking."""
        return self.action in ("act", "act_and_notify")


def call_digest(tool: str, args: Mapping[str, Any]) -> str:
    """Return the hash of one call; a ruling or an approval holds for this and nothing else."""
    text = json.dumps([tool, args], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def decide_undoing(tool: str, args: Mapping[str, Any]) -> Ruling:
    """Return the ruling on taking back what a run did: it is done, since it restores what was there before.

    Constraints do not hold it up: what they forbid is then there no more. What cannot be told, or was changed since,
    the tool and the ledger refuse.
    """
    risk = risk_of("write", "undoable", count=1, money=0, novelty=0, privacy="internal")
    return Ruling(
        action="act", reason="it takes back what the run did", rule="taking_back",
        considered=("taking_back: it restores what was there before",), tool=tool, digest=call_digest(tool, args),
        risk=risk.score,
    )  # fmt: skip


class _Finding(BaseModel):
    rule: DecidingRule
    action: Action | None = None
    """None: it has nothing against the act."""
    words: str


def decide(proposal: Proposal) -> Ruling:
    """Return whether the act is done, told, asked about, escalated or refused; the first answer decides."""
    considered = []
    for finding in _findings(proposal):
        considered.append(f"{finding.rule}: {finding.words}")
        if finding.action is not None:
            break
    return Ruling(
        action=finding.action or "refuse", reason=finding.words, rule=finding.rule, considered=tuple(considered),
        tool=proposal.tool, digest=proposal.digest, risk=proposal.risk.score, tier=proposal.tier,
        standing_rule=proposal.standing_rule,
    )  # fmt: skip


def _findings(proposal: Proposal) -> list[_Finding]:
    """Return what each rule says, in the order in which they decide; the last one always has an answer."""
    return [
        _constraints(proposal),
        _listed(proposal.consents_refused, "consent_refused", "refuse", "you have refused your consent to"),
        _checkpoints(proposal, "blocked", "refuse"),
        _listed(proposal.untrusted, "untrusted_origin", "ask", "look closely:"),
        _listed(proposal.consents_missing, "consent_missing", "ask", "it needs your consent to"),
        _listed(_unknown(proposal), "unknown", "ask", "it could not be found out:"),
        _checkpoints(proposal, "escalated", "escalate"),
        *([_pending(proposal)] if proposal.checkpoints is not None else []),
        _by_tier(proposal),
    ]


def _constraints(proposal: Proposal) -> _Finding:
    if proposal.violations is None:
        return _Finding(rule="constraint", action="refuse", words="nobody could tell which constraints there are")
    if proposal.violations:
        return _Finding(rule="constraint", action="refuse", words="; ".join(proposal.violations))
    return _Finding(rule="constraint", words="no constraint forbids it")


def _listed(found: tuple[str, ...] | None, rule: DecidingRule, action: Action, words: str) -> _Finding:
    if not found:
        return _Finding(rule=rule, words="nothing" if found is not None else "not looked at")
    return _Finding(rule=rule, action=action, words=f"{words} {', '.join(f'{word:.200}' for word in found[:5])}")


def _unknown(proposal: Proposal) -> tuple[str, ...]:
    """Return everything that nobody could find out."""
    looked_at = {
        "checkpoints": proposal.checkpoints,
        "consents": proposal.consents_missing if proposal.consents_refused is not None else None,
        "where the words come from": proposal.untrusted,
    }
    open_ones = (f"what checkpoint {v.checkpoint!r} says" for v in proposal.checkpoints or () if not v.evaluated)
    return (*proposal.unknown, *(what for what, found in looked_at.items() if found is None), *open_ones)


def _checkpoints(proposal: Proposal, status: str, action: Action) -> _Finding:
    for verdict in proposal.checkpoints or ():
        if verdict.status == status:
            return _Finding(rule="checkpoint", action=action, words=_said(verdict))
    return _Finding(rule="checkpoint", words=f"none is {status}")


def _pending(proposal: Proposal) -> _Finding:
    """Return the answer of the checkpoints that ask; one of a status that lets nothing pass asks as well."""
    for verdict in proposal.checkpoints or ():
        if verdict.status in ("auto_approved", "notified"):
            continue
        if not _covered(proposal):
            return _Finding(rule="checkpoint", action="ask", words=_said(verdict))
    return _Finding(rule="checkpoint", words="none asks")


def _by_tier(proposal: Proposal) -> _Finding:
    if proposal.effect == "none":
        return _Finding(rule="no_effect", action="act", words="it changes nothing")
    told = any(verdict.status == "notified" for verdict in proposal.checkpoints or ())
    if _covered(proposal):
        words = f"the standing rule {proposal.standing_rule!r} covers it"
        return _Finding(rule="standing_rule", action="act_and_notify", words=words)
    if proposal.effect == "read":
        return _Finding(rule="no_effect", action="act_and_notify" if told else "act", words="it only reads")
    action, words = _of_tier(proposal)
    return _Finding(rule="tier", action="act_and_notify" if told and action == "act" else action, words=words)


def _of_tier(proposal: Proposal) -> tuple[Action, str]:
    """Return what the tier allows at this risk."""
    risk, bounds = proposal.risk, proposal.bounds
    undoable = proposal.reversibility == "undoable"
    doubtful = not _sure(proposal.confidence, bounds.doubt_below)
    words = f"risk {risk.score:.2f}: {risk.words}"
    if doubtful:
        words += f"; the plan is uncertain (below {bounds.doubt_below:g})"
    if proposal.tier not in ("standard", "trusted"):
        return "ask", f"you want to be asked about every effect ({words})"
    if risk.score >= bounds.ask_above:
        return "ask", words
    if not undoable and (doubtful or proposal.tier == "standard"):
        return "ask", words
    return ("act_and_notify" if doubtful or risk.score >= bounds.notify_above else "act"), words


def _covered(proposal: Proposal) -> bool:
    """Return whether a standing rule lets the act pass; nothing does for a user who wants to be asked every time."""
    return bool(proposal.standing_rule) and proposal.tier in ("standard", "trusted")


def _sure(confidence: float | None, bound: float) -> bool:
    return confidence is not None and math.isfinite(confidence) and bound <= confidence <= 1


def _said(verdict: CheckpointVerdict) -> str:
    return f"checkpoint {verdict.checkpoint!r} ({verdict.reason})"
