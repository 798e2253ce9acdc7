"""What other policies had earned on the decisions of a workspace, as far as its log can tell, and where it cannot."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field

from evals.counterfactual import Estimate, Logged, doubly_robust, inverse_propensity
from evals.logged_decisions import Chosen, Routed
from evals.statistics import Interval, wilson

_FEW = 10
"""Decisions below which a mean is not told."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ThresholdReport(_Told):
    """What another threshold of reuse would do to the routes of the log."""

    threshold: float
    decisions: int
    value: float | None
    """Mean outcome of the runs as they went, 0-1; None without runs."""
    unchanged: int
    """Decisions that would be the same."""
    unchanged_value: float | None
    """Mean outcome of those."""
    unchanged_interval: Interval | None
    to_reuse: int
    """Goals that would be reused and were planned anew, or made by a recipe."""
    from_reuse: int
    """Goals that were reused, and would not be."""
    bounds: Interval | None
    """Between these the other threshold's mean outcome lies, whatever the changed decisions had come to."""
    believed: float | None
    """Mean outcome by memory's own calibrated confidence for what would be reused, and by the mean of goals planned
    anew for what would not be: a model's belief, no measurement. None where there is nothing to believe."""
    note: str


class PolicyReport(_Told):
    """What another policy had earned on logged choices."""

    policy: str
    decisions: int
    unknown: int
    """Choices that were logged without their odds, and tell nothing."""
    value: float | None
    """Mean outcome of the choices as they were made."""
    estimates: list["PolicyEstimate"] = Field(default_factory=list)
    note: str = ""


class PolicyEstimate(_Told):
    """One estimate of what a policy earns for each choice."""

    method: str
    value: float | None
    """None where the log does not allow one."""
    interval: Interval | None
    effective: float
    """Choices that the log is worth for this policy."""
    unsupported: float
    """Share of what it would do that was never possible in the log."""
    note: str


def under_threshold(routed: Sequence[Routed], threshold: float) -> ThresholdReport:
    """Return what is known of another threshold.

    Routes are decided without drawing lots, so what was not done was never seen: only unchanged decisions are
    measured, and bounds are given for the whole (Manski, 1990).
    """
    same = [r for r in routed if r.way(threshold) == r.taken]
    changed = [r for r in routed if r.way(threshold) != r.taken]
    earned, most = sum(r.reward for r in same), float(len(routed))
    return ThresholdReport(
        threshold=threshold,
        decisions=len(routed),
        value=fmean(r.reward for r in routed) if routed else None,
        unchanged=len(same),
        unchanged_value=fmean(r.reward for r in same) if same else None,
        unchanged_interval=wilson(earned, len(same)) if len(same) >= _FEW else None,
        to_reuse=sum(r.way(threshold) == "memory" for r in changed),
        from_reuse=sum(r.taken != "anew" and r.way(threshold) != "memory" for r in changed),
        bounds=Interval(earned / most, (earned + len(changed)) / most) if routed else None,
        believed=_believed(routed, threshold),
        note=_threshold_note(len(routed), len(changed)),
    )


def _believed(routed: Sequence[Routed], threshold: float) -> float | None:
    anew = [r.reward for r in routed if r.taken == "anew"]
    believed: list[float] = []
    for one in routed:
        way = one.way(threshold)
        if way == one.taken:
            believed.append(one.reward)
        elif way == "memory":
            believed.append(one.recall.confidence)
        elif way == "anew" and len(anew) >= _FEW:
            believed.append(fmean(anew))
        else:
            return None
    return fmean(believed) if believed else None


def _threshold_note(decisions: int, changed: int) -> str:
    if not decisions:
        return "the log holds no run that has ended"
    if not changed:
        return "no decision would change, so the log tells exactly what this threshold earns"
    return (
        f"{changed} of {decisions} decisions would change; routes draw no lots, so what these had come to was never "
        "seen: the bounds hold whatever it is, and a trial of two sequences would measure it"
    )


def under_policy(
    policy: str, chosen: Sequence[Chosen], targets: Sequence[Mapping[str, float]], *, unknown: int, seed: int = 0
) -> PolicyReport:
    """Return what a policy had earned on choices that were logged with their odds.

    Args:
        policy: Its name.
        chosen: The choices.
        targets: How probable each was to be chosen by the policy, for every choice.
        unknown: Choices without odds.
        seed: Of the resamples.
    """
    rows = [_row(choice, target) for choice, target in zip(chosen, targets, strict=True)]
    estimates = [inverse_propensity(rows, seed=seed)] if rows else []
    if rows and all(row.expected is not None for row in rows):
        estimates.append(doubly_robust(rows, seed=seed))
    return PolicyReport(
        policy=policy,
        decisions=len(rows),
        unknown=unknown,
        value=fmean(row.reward for row in rows) if rows else None,
        estimates=[_told(estimate) for estimate in estimates],
        note=_policy_note(chosen, unknown),
    )


def _row(choice: Chosen, target: Mapping[str, float]) -> Logged:
    possible = sum(chance for name, chance in target.items() if choice.chances.get(name, 0.0) > 0)
    modelled = choice.what in choice.expected and target.keys() <= choice.expected.keys()
    return Logged(
        reward=choice.reward,
        propensity=choice.chances[choice.what],
        target=target.get(choice.what, 0.0),
        expected=choice.expected[choice.what] if modelled else None,
        expected_target=sum(chance * choice.expected[name] for name, chance in target.items()) if modelled else None,
        reachable=min(1.0, possible),
    )


def _told(estimate: Estimate) -> PolicyEstimate:
    return PolicyEstimate(
        method=estimate.method,
        value=estimate.value,
        interval=estimate.interval,
        effective=estimate.effective,
        unsupported=estimate.unsupported,
        note=estimate.note,
    )


def _policy_note(chosen: Sequence[Chosen], unknown: int) -> str:
    if not chosen:
        return f"no choice was logged with its odds, so nothing can be told ({unknown} without)"
    certain = sum(choice.chances[choice.what] >= 1 for choice in chosen)
    if certain == len(chosen):
        return "every choice was certain: the log tells of other choices nothing at all; a trial would"
    return f"{certain} of {len(chosen)} choices were certain and tell only of themselves" if certain else ""
