"""Fingerprints: equal for what is the same, so that doing the same again is recognised."""

import hashlib
import json
from typing import Any

from domain.outcomes import StepResult
from domain.plans import Plan
from domain.reactions import reaction_to


def fingerprint(*values: Any) -> str:
    """Return a digest of JSON values, whatever the order of their keys."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plan_fingerprint(plan: Plan) -> str:
    """Return the digest of what a plan does; who proposed it, why, and in which order it is written do not count."""
    steps = (step.model_dump(mode="json", exclude={"priority", "deadline", "timeout"}) for step in plan.steps)
    return fingerprint(sorted(steps, key=lambda step: str(step["id"])))


def fails_for_good(failed: list[StepResult]) -> bool:
    """Return whether a plan with these failures would fail the same way again: one of them does not pass by itself."""
    return any(result.failure is not None and reaction_to(result.failure.code) != "retry" for result in failed)
