"""Critic: score the draft by aspects, and decide whether another revision is worth it."""

from contextlib import suppress
from typing import Literal

from langgraph.types import Command

from agents.contracts import CritiqueRequest
from agents.team import Quality
from domain.errors import StorageAway
from domain.events import DraftCriticised
from domain.outcomes import Critique, CritiqueStop, Draft
from graph.budget import end_of
from graph.context import Run
from graph.privacy import cast_for
from graph.requests import briefing_of
from graph.routes import conclude
from graph.state import JsonDict, State, dumped, plan_of, results_of
from memory.critiques import content_id


async def critic(
    state: State, run: Run
) -> Command[Literal["reviser", "approve_result", "specialists", "remember", "rollback"]]:
    """Criticise a draft that has not been seen; keep the best; stop for a named reason or have it revised."""
    if state.get("limit"):  # whoever was to write the draft ran out of budget
        return Command(goto=end_of(state))
    draft, quality = Draft.model_validate(state["draft"]), run.services.team.quality
    attempts, digest = state.get("attempts", []), content_id(draft.text)
    if any(attempt["digest"] == digest for attempt in attempts):
        best = _parsed(state["best"])
        _announce(run, best[1], len(attempts), quality, "repeat")
        way = await conclude(state, run, best, "repeat", {})
        return Command(goto=way.goto, update=way.update)
    critique = await _criticised(draft, state, run)
    if critique.score < quality.min_quality_score and quality.store_failures:
        with suppress(StorageAway):
            await run.services.lessons.critiques.add(run.context.workspace, run.run, draft.text, critique)
    attempts = [*attempts, {"digest": digest, "score": critique.score}]
    best = _better((draft, critique), state.get("best", {}))
    stop = stop_reason([attempt["score"] for attempt in attempts], quality)
    _announce(run, critique, len(attempts), quality, stop)
    update: JsonDict = {"attempts": attempts, "best": {"draft": dumped(best[0]), "critique": dumped(best[1])}}
    if stop:
        way = await conclude(state, run, best, stop, update)
        return Command(goto=way.goto, update=way.update)
    return Command(goto="reviser", update=update | {"critique": dumped(critique)})


def stop_reason(scores: list[float], quality: Quality) -> CritiqueStop | None:
    """Return why no further revision follows, given the scores of all drafts in order, or None to go on."""
    if scores[-1] >= quality.min_quality_score:
        return "threshold_met"
    if len(scores) > quality.max_iterations:
        return "max_iterations"
    if len(scores) > 1 and scores[-1] - max(scores[:-1]) < quality.improvement_threshold:
        return "plateau"
    return None


def _parsed(best: JsonDict) -> tuple[Draft, Critique]:
    return Draft.model_validate(best["draft"]), Critique.model_validate(best["critique"])


def _better(new: tuple[Draft, Critique], best: JsonDict) -> tuple[Draft, Critique]:
    old = _parsed(best) if best else None
    return old if old and old[1].score >= new[1].score else new


async def _criticised(draft: Draft, state: State, run: Run) -> Critique:
    services, results = run.services, list(results_of(state).values())
    return await cast_for(plan_of(state), results, run).critic(
        CritiqueRequest(
            goal=state["goal"],
            briefing=briefing_of(state, run),
            team=services.team,
            emit=run.emit,
            draft=draft,
            results=results,
            quality=services.team.quality,
        )
    )


def _announce(run: Run, critique: Critique, iteration: int, quality: Quality, stopped: CritiqueStop | None) -> None:
    run.emit(
        DraftCriticised(critique=critique, iteration=iteration, threshold=quality.min_quality_score, stopped=stopped)
    )
