"""How a trace is folded out of events, one after the other."""

from domain import events as ev
from domain.approvals import ActionRequest
from domain.effects import LedgerEffect
from domain.events import Stamped
from domain.plans import Plan
from graph.trace import (
    Trace,
    TracedAttempt,
    TracedCall,
    TracedCritique,
    TracedDecision,
    TracedEffect,
    TracedNode,
    TracedStep,
    TracedTool,
)


def traced(events: list[Stamped], ledger: list[LedgerEffect]) -> Trace:
    """Return the trace of one run.

    Args:
        events: The run's events in their order, at least one.
        ledger: The run's effects as the ledger knows them.
    """
    tracer = _Tracer(events[0])
    for stamped in events:
        tracer.take(stamped)
    for entry in ledger:
        tracer.settle(entry)
    return tracer.trace


class _Tracer:
    def __init__(self, first: Stamped) -> None:
        self.trace = Trace(
            run=first.run, thread=first.thread, workspace=first.workspace, started=first.time, last=first.time
        )
        self._open: dict[str, TracedStep] = {}
        """Latest trace of each step, by its id."""

    def take(self, stamped: Stamped) -> None:
        """Take one event into account."""
        self.trace.last = stamped.time
        self._take_node(stamped)
        if not self._take_of_step(stamped):
            self._take_of_run(stamped)

    def settle(self, entry: LedgerEffect) -> None:
        """Correct an effect by what the ledger knows."""
        kept = entry.effect
        effect = self._effect(kept.step, kept.tool, kept.key, kept.done or kept.claimed)
        effect.state = entry.state

    def _take_node(self, stamped: Stamped) -> None:
        nodes = self.trace.nodes
        if nodes and nodes[-1].name == stamped.namespace:
            nodes[-1].ended = stamped.time
        else:
            nodes.append(TracedNode(name=stamped.namespace, started=stamped.time, ended=stamped.time))

    def _take_of_step(self, stamped: Stamped) -> bool:
        """Take an event that belongs to a step; return whether it was one."""
        event, at = stamped.event, stamped.time
        match event:
            case ev.StepStarted():
                self._began(event, at)
            case ev.StepFinished():
                self._finished(event, at)
            case ev.StepHeld():
                self._asked(event.request, at, self._step_of(event.request))
            case ev.ToolCalled():
                call = TracedTool(tool=event.tool, args=event.args, started=at)
                self._attempt(event.step, at).tools.append(call)
            case ev.ToolReturned():
                self._returned(event, at)
            case ev.EffectRecorded():
                effect = self._effect(event.step, event.tool, event.key, at)
                effect.state, effect.replayed = "done", effect.replayed + event.replayed
            case ev.EffectUndone():
                self._undone(event, at)
            case _:
                return False
        return True

    def _take_of_run(self, stamped: Stamped) -> None:  # noqa: C901 - one case for each event
        trace, event, at = self.trace, stamped.event, stamped.time
        match event:
            case ev.RunStarted():
                trace.goal, trace.team, trace.mode = event.goal, event.team, event.mode
            case ev.RouteDecided():
                trace.decision = event.decision
            case ev.PlanProposed():
                self._planned(event.plan)
            case ev.ModelCalled():
                trace.calls.append(_call(event, stamped))
            case ev.RoleDegraded():
                trace.degraded[event.role] = event.reason
            case ev.DraftCriticised():
                judged = TracedCritique(
                    at=at, score=event.critique.score, threshold=event.threshold, stopped=event.stopped
                )
                trace.critiques.append(judged)
            case ev.ApprovalRequested():
                for request in event.requests:
                    self._asked(request, at, self._step_of(request))
            case ev.ApprovalDecided():
                self._decided(event, at)
            case ev.RunStopped():
                trace.stops.append(event.reason)
            case ev.RunFinished():
                trace.ended = at if trace.ended is None else trace.ended  # a second one tells of an undoing
                trace.outcome = event.outcome
            case _:
                pass

    def _planned(self, plan: Plan) -> None:
        """Put the plan's steps in place; those of an earlier plan that were never begun go."""
        trace = self.trace
        trace.plans.append(plan)
        trace.steps = [step for step in trace.steps if step.started is not None or step.decisions]
        self._open = {key: step for key, step in self._open.items() if step in trace.steps}
        for step in plan.steps:
            known = self._open.get(step.id)
            # A finished step that the new plan holds unchanged is kept, and not begun again.
            if known is None or known.status != "done" or known.task != step.task:
                self._new(step.id, step.agent)

    def _new(self, key: str, agent: str) -> TracedStep:
        step = TracedStep(id=key, agent=agent, plan=max(0, len(self.trace.plans) - 1))
        planned = next((s for plan in self.trace.plans[-1:] for s in plan.steps if s.id == key), None)
        if planned is not None:
            step.task, step.tool, step.needs = planned.task, planned.tool, sorted(planned.inputs())
        self.trace.steps.append(step)
        self._open[key] = step
        return step

    def _step(self, key: str, agent: str = "") -> TracedStep:
        return self._open.get(key) or self._new(key, agent)

    def _step_of(self, request: ActionRequest) -> TracedStep | None:
        """Return the step that a question is about, whose id its own begins with."""
        ids = [key for key in self._open if request.id == key or request.id.startswith(f"{key}.")]
        return self._open[max(ids, key=len)] if ids else None

    def _began(self, event: ev.StepStarted, at: float) -> None:
        step = self._step(event.step, event.agent)
        if step.ended is not None:
            step = self._new(event.step, event.agent)
        step.started = at if step.started is None else step.started
        step.agent, step.task = event.agent, event.task
        step.attempts.append(TracedAttempt(number=event.attempt, agent=event.agent, started=at))

    def _finished(self, event: ev.StepFinished, at: float) -> None:
        result = event.result
        step = self._step(result.step, result.agent)
        step.ended, step.status, step.agent = at, result.status, result.agent
        step.seconds, step.confidence, step.usage = result.seconds, result.confidence, result.usage
        step.degraded, step.failure = result.degraded, result.failure
        if step.attempts:
            step.attempts[-1].ended = at

    def _attempt(self, key: str, at: float) -> TracedAttempt:
        """Return the latest attempt at a step; a call that comes without one makes the first."""
        step = self._step(key)
        if not step.attempts:
            step.started = at
            step.attempts.append(TracedAttempt(number=1, agent=step.agent, started=at))
        return step.attempts[-1]

    def _returned(self, event: ev.ToolReturned, at: float) -> None:
        calls = self._attempt(event.step, at).tools
        call = next((c for c in calls if c.tool == event.tool and c.seconds is None), None)
        if call is None:
            call = TracedTool(tool=event.tool, args={}, started=at - event.seconds)
            calls.append(call)
        call.seconds, call.summary, call.failure = event.seconds, event.summary, event.failure

    def _effect(self, key_of_step: str, tool: str, key: str, at: float) -> TracedEffect:
        for step in self.trace.steps:
            for effect in step.effects:
                if effect.key == key:
                    return effect
        effect = TracedEffect(key=key, step=key_of_step, tool=tool, state="unknown", at=at)
        self._step(key_of_step).effects.append(effect)
        return effect

    def _undone(self, event: ev.EffectUndone, at: float) -> None:
        effect = self._effect(event.step, event.tool, event.key, at)
        if event.failure is None:
            effect.state = "undone"
            self._step(event.step).status = "undone"
        else:
            effect.kept = event.failure.message

    def _asked(self, request: ActionRequest, at: float, step: TracedStep | None) -> None:
        if any(d.request == request.id and d.decided is None for d in self.trace.decisions):
            return
        decision = TracedDecision(request=request.id, name=request.name, checkpoint=request.checkpoint, asked=at)
        self.trace.decisions.append(decision)
        if step is not None:
            step.decisions.append(decision)

    def _decided(self, event: ev.ApprovalDecided, at: float) -> None:
        open_ones = [d for d in self.trace.decisions if d.request == event.request and d.decided is None]
        decision = open_ones[-1] if open_ones else TracedDecision(request=event.request)
        if not open_ones:
            self.trace.decisions.append(decision)
        decision.decided, decision.type = at, event.decision.type
        decision.by, decision.message = event.decision.by, event.decision.message


def _call(event: ev.ModelCalled, stamped: Stamped) -> TracedCall:
    return TracedCall(
        node=stamped.namespace, role=event.role, model=event.model, step=event.step, ended=stamped.time,
        seconds=event.seconds, input_tokens=event.input_tokens, output_tokens=event.output_tokens,
        dollars=event.dollars, failure=event.failure,
    )  # fmt: skip
