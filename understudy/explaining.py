"""Questions about a run are answered from what is known of it; the run is neither stopped nor changed by them."""

from collections.abc import Sequence

from agents.budget import spending
from agents.contracts import ExplanationRequest
from domain.briefings import Briefing
from domain.errors import InvalidGoal, LimitReached, StorageAway
from domain.events import Explained, Stamped, StepFinished
from domain.goals import checked_goal
from domain.outcomes import StepResult
from domain.plans import Plan
from graph.context import Run
from graph.explaining import facts_of
from graph.privacy import explainer_for
from graph.trace import Trace
from graph.tracing import traced
from understudy.runs import Runs
from understudy.stored import context_of
from understudy.threads import ThreadEntry
from understudy.wiring import House


async def explained(house: House, runs: Runs, entry: ThreadEntry, question: str) -> Explained:
    """Return the answer to a question about the latest run of a thread, in whatever process it goes on.

    Args:
        house: What is open.
        runs: The threads.
        entry: The thread.
        question: In words.

    Raises:
        InvalidGoal: The question is empty, too long or not text.
    """
    question = checked_goal(question)
    events = [s for s in await runs.events(entry.workspace, entry.thread) if s.run == entry.run]
    if not events:
        msg = "nothing is known of this run yet; ask again when it has begun"
        raise InvalidGoal(msg)
    trace = traced(events, await house.effects.of_run(entry.workspace, entry.run))
    pending = await runs.pending(entry.workspace, entry.thread) if entry.state == "waiting" else None
    results = _results(events)
    sources = [source.name for result in results for source in result.sources]
    facts = facts_of(trace, entry.state, pending.requests if pending else [], now=house.clock(), sources=sources)
    context = context_of(entry.context)
    services = await house.services_for(context)
    request = ExplanationRequest(
        goal=entry.goal, briefing=Briefing(workspace=entry.workspace, user=context.user), team=services.team,
        emit=lambda _: None, question=question, facts=services.secrets.model(facts),
    )  # fmt: skip
    run = Run(services, context, thread=entry.key, run=entry.run, publish=lambda _: None)
    model, twin = explainer_for(_plan(trace), results, run)
    try:
        with spending([services.daily] if services.daily else [], services.prices):
            answer = await model(request)
    except (LimitReached, StorageAway):
        answer = await twin(request)
    told = Explained(question=question, answer=answer.text, by="rules" if answer.degraded else services.cast.mode)
    return services.secrets.model(told)


def _results(events: Sequence[Stamped]) -> list[StepResult]:
    return [stamped.event.result for stamped in events if isinstance(stamped.event, StepFinished)]


def _plan(trace: Trace) -> Plan | None:
    return trace.plans[-1] if trace.plans else None
