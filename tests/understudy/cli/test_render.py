import typing

import pytest

from domain.approvals import ActionRequest, Decision
from domain.autonomy import Ruling
from domain.events import (
    ActionRuled,
    AgentSelected,
    AnswerNoted,
    ApprovalDecided,
    ApprovalRequested,
    CheckpointPassed,
    DraftComposed,
    DraftCriticised,
    EffectRecorded,
    EffectUndone,
    Event,
    Explained,
    MemoryRecalled,
    ModelCalled,
    OutcomeRemembered,
    PlanCriticised,
    PlanProposed,
    RecoveryChosen,
    ResourceBound,
    RoleDegraded,
    RouteDecided,
    RuleProposed,
    RunFinished,
    RunStarted,
    RunStopped,
    StepFinished,
    StepHeld,
    StepStarted,
    ToolCalled,
    ToolReturned,
    TrialAssigned,
    UnknownEvent,
)
from domain.outcomes import Critique, Failure, Outcome, StepResult, Usage
from domain.plans import Plan, Problem, Step
from domain.routing import Neighbour, Recall, RouteDecision
from understudy.cli.render import rendered

NEIGHBOUR = Neighbour(task="t1", goal="blog on AI", sequence=["research", "writer"], similarity=0.7, success=True)
PLAN = Plan(
    steps=[
        Step(id="find", agent="research", task="find\nfigures"),
        Step(id="save", agent="writer", task="save it", tool="write_file", needs=["find"], effect="write"),
    ],
    rationale="two steps are enough",
    confidence=0.62,
)
REQUEST = ActionRequest(id="save", name="write_file", args={"path": "a.md"}, description="writes")
FAILED = Failure(code="tool_failed", message="no such table")
CASES: dict[str, tuple[Event, str | None]] = {
    "run_started": (
        RunStarted(goal="g", team="documents", mode="rules"),
        "team      documents · no model configured: rule-based understudies are playing",
    ),
    "run_started-model": (
        RunStarted(goal="g", team="documents", mode="openai:gpt-5-mini"),
        "team      documents · model openai:gpt-5-mini",
    ),
    "memory_recalled": (
        MemoryRecalled(recall=Recall(confidence=0.87, neighbours=[NEIGHBOUR])),
        "memory    1 similar task(s), confidence 0.87 (reuse)",
    ),
    "memory_recalled-nothing": (MemoryRecalled(recall=Recall()), "memory    nothing similar yet"),
    "route_decided": (
        RouteDecided(decision=RouteDecision(source="memory", confidence=0.87, explanation="because 1 task is near")),
        "route     from memory, confidence 0.87",
    ),
    "plan_proposed": (
        PlanProposed(plan=PLAN),
        "plan      newly planned, simple, confidence 0.62 — two steps are enough\n"
        "          find  research: find figures\n"
        "          save  writer: save it [write_file] writes (after find)",
    ),
    "plan_criticised": (PlanCriticised(problems=[]), "          the plan critic found nothing wrong"),
    "plan_criticised-problem": (
        PlanCriticised(problems=[Problem(code="cycle", step="a", message="a → a")]),
        "          plan problem: cycle in 'a': a → a",
    ),
    "trial_assigned": (
        TrialAssigned(trial="shorter", variant="read>write", reason="this run is in its challenger's share"),
        "trial     shorter: read>write (this run is in its challenger's share)",
    ),
    "agent_selected": (
        AgentSelected(step="s1", agent="junior", fallbacks=["senior"], kind="search", reason="it promises more"),
        "chosen    s1: junior — it promises more",
    ),
    "step_started": (StepStarted(step="s1", agent="a", task="look"), "start     s1: a — look"),
    "step_started-again": (
        StepStarted(step="s1", agent="a", task="look", attempt=2),
        "start     s1: a (attempt 2) — look",
    ),
    "step_finished": (
        StepFinished(result=StepResult(step="s1", agent="a", seconds=0.44, confidence=0.8, degraded=True)),
        "done      s1: 0.4 s, confidence 0.80, by the rule-based understudy",
    ),
    "step_finished-failed": (
        StepFinished(result=StepResult(step="s1", agent="a", status="failed", failure=FAILED)),
        "failed    s1: no such table",
    ),
    "recovery_chosen": (
        RecoveryChosen(rung="retry", step="s1", why="a: tool_timeout: too late", wait=0.51),
        "recover   s1: tries again in 0.5 s — a: tool_timeout: too late",
    ),
    "recovery_chosen-plan": (
        RecoveryChosen(rung="stop", why="no further plan may be tried"),
        "recover   stops with what is done — no further plan may be tried",
    ),
    "action_ruled": (
        ActionRuled(step="save", ruling=Ruling(action="ask", reason="it cannot be undone", rule="tier")),
        "ruling    save: asks you first — it cannot be undone",
    ),
    "step_held": (StepHeld(request=REQUEST), "waits     write_file needs your decision; the other steps go on"),
    "tool_called": (ToolCalled(step="s1", tool="search", args={"q": "x"}), '          · search(q="x")'),
    "tool_returned": (
        ToolReturned(step="s1", tool="search", seconds=0.02, summary="5 passages"),
        "          · search took 0.02 s — 5 passages",
    ),
    "tool_returned-failed": (
        ToolReturned(step="s1", tool="query", seconds=0, failure=FAILED),
        "          · query could not: no such table",
    ),
    "effect_recorded": (EffectRecorded(step="s1", tool="write_file", key="k", replayed=False), None),
    "effect_recorded-replayed": (
        EffectRecorded(step="s1", tool="write_file", key="k", replayed=True),
        "          · write_file had been done before; its recorded result was taken",
    ),
    "resource_bound": (
        ResourceBound(step="s1", resource="here", placement="local", why="it is near"),
        "          s1 on here (local)",
    ),
    "effect_undone": (EffectUndone(step="s1", tool="write_file", key="k"), "undone    s1: write_file"),
    "effect_undone-kept": (
        EffectUndone(step="s1", tool="write_file", key="k", failure=FAILED),
        "kept      s1: write_file: no such table",
    ),
    "model_called": (ModelCalled(role="critic", model="openai:m", seconds=1), None),
    "model_called-failed": (
        ModelCalled(role="critic", model="openai:m", seconds=1, failure=Failure(code="x", message="time-out")),
        "          · critic: openai:m failed: time-out",
    ),
    "role_degraded": (RoleDegraded(role="planner", reason="model away"), "degraded  planner: model away"),
    "draft_composed": (DraftComposed(by="composer", text="a\nb"), "draft     draft by composer, 2 lines"),
    "draft_composed-revision": (
        DraftComposed(by="reviser", text="a\nb", iteration=1),
        "draft     revision 1 by reviser, 2 lines",
    ),
    "draft_criticised": (
        DraftCriticised(
            critique=Critique(score=0.84, aspects={"clarity": 0.9}), iteration=0, threshold=0.8, stopped="threshold_met"
        ),
        "critique  0.84 of 0.80 wanted, threshold met (clarity 0.90)",
    ),
    "draft_criticised-goes-on": (
        DraftCriticised(critique=Critique(score=0.5, issues=["Name the source."]), iteration=0, threshold=0.8),
        "critique  0.50 of 0.80 wanted, goes to revision\n          - Name the source.",
    ),
    "checkpoint_passed": (
        CheckpointPassed(checkpoint="result", reason="quality 0.90 > 0.8"),
        "passed    checkpoint result: quality 0.90 > 0.8",
    ),
    "approval_requested": (
        ApprovalRequested(interrupt="i", requests=[REQUEST]),
        "waits     your decision is needed: write_file",
    ),
    "answer_noted": (
        AnswerNoted(question="q", by="ann", wants="write_file (1 more to approve 'save')"),
        "noted     the answer of ann; still wanted: write_file (1 more to approve 'save')",
    ),
    "rule_proposed": (
        RuleProposed(rule="earned-1", words="call 'send_mail' for 'ann' without asking", evidence="8 of 8 approved"),
        "offer     call 'send_mail' for 'ann' without asking? 8 of 8 approved. "
        "Accept: understudy rules accept earned-1",
    ),
    "approval_decided": (
        ApprovalDecided(request="save", decision=Decision(type="reject", message="too long", by="ann")),
        "decided   save: reject by ann: too long",
    ),
    "outcome_remembered": (OutcomeRemembered(task="t9"), "memory    remembered as t9"),
    "run_finished": (
        RunFinished(
            outcome=Outcome(
                status="done", answer="A", quality=0.9, confidence=0.8, iterations=1, stopped="plateau",
                usage=Usage(calls=5, input_tokens=1200, output_tokens=300),
            )
        ),
        "result    done · confidence 0.80 · quality 0.90 · 1 critique(s), ended by plateau"
        " · 5 model calls, 1,200 + 300 tokens, price unknown",
    ),
    "run_finished-failed": (
        RunFinished(outcome=Outcome(status="failed", failure=FAILED)),
        "result    failed · confidence 0.00\n          tool_failed: no such table",
    ),
    "run_finished-undone": (
        RunFinished(outcome=Outcome(status="undone", undone=["b", "a"], kept=["c: changed since"])),
        "result    undone · confidence 0.00\nundone    b\n          a\nstays     c: changed since",
    ),
    "explained": (Explained(question="why?", answer="since \x1b[2Jyou asked", by="rules"), "answer    since you asked"),
    "unknown_event": (
        UnknownEvent(kind="moon_phase\x1b"),
        "          something that this version does not know: moon_phase",
    ),
    "run_stopped": (RunStopped(reason="stopped on request"), "stopped   stopped on request"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "text"), CASES.values(), ids=CASES.keys())
def test_an_event_is_one_text(event: Event, text: str | None) -> None:
    shown = rendered(event)
    assert (shown and shown.plain) == text


def test_every_event_has_a_case() -> None:
    union = typing.get_args(typing.get_args(Event)[0])
    assert {type(event) for event, _ in CASES.values()} == set(union)


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(goal="g", team="\x1b[2Jt", mode="m\x07"),
        StepStarted(step="s", agent="\x1b[31ma", task="\x1b]0;x\x07t"),
        ToolCalled(step="s", tool="\x1b[31mtool", args={"\x1bk": "\x9bv"}),
        ToolReturned(step="s", tool="\x1b[31mt", seconds=0, summary="\x1b[31m"),
        PlanProposed(
            plan=Plan(steps=[Step(id="a", agent="\x1bca", task="\x1b[1mt", tool="\x9b1m")], rationale="\x1b[m")
        ),
        ApprovalDecided(request="\x1b[31mr", decision=Decision(type="reject", message="\x1b[2J", by="\x1bc")),
    ],
    ids=lambda event: event.type,
)
def test_terminal_control_never_gets_through(event: Event) -> None:
    shown = rendered(event)
    assert shown is not None
    assert all(character.isprintable() or character == "\n" for character in shown.plain)


def test_markup_in_a_text_is_only_text() -> None:
    shown = rendered(StepStarted(step="s", agent="a", task="[bold red]x[/] :smile:"))
    assert shown is not None
    assert shown.plain.endswith("[bold red]x[/] :smile:")
