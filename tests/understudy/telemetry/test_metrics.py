"""Metrics of what was told, as Prometheus reads them."""

import asyncio
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain import events as ev
from domain.approvals import Decision
from domain.autonomy import Autonomy
from domain.errors import InvalidSettings
from domain.events import Stamped
from domain.outcomes import Failure, Outcome
from domain.plans import Plan, Step
from domain.routing import Recall, RouteDecision
from evals.benchmarks.crash_worker import Stage
from evals.benchmarks.crash_world import TEAM, Script, World
from memory.encoders import encoder
from tests.understudy.telemetry.told import TIME, asked, begun, called, ended, finished, stamped, started
from understudy.crashing import Playhouse
from understudy.durable.engine import Said
from understudy.orchestrator import Orchestrator
from understudy.settings import Settings
from understudy.telemetry.backlog import backlog_of
from understudy.telemetry.labels import OTHER
from understudy.telemetry.metrics import Backlog, Metrics
from understudy.telemetry.serving import metrics_served
from understudy.telemetry.telemetry import open_telemetry

PLAN = Plan(steps=[Step(id="look", agent="search", task="Look")])


def shown(text: bytes) -> dict[str, float]:
    """Samples as Prometheus reads them, without the times at which counters were made."""
    samples = (each for family in text_string_to_metric_families(text.decode()) for each in family.samples)
    return {
        s.name + "".join(f" {name}={value}" for name, value in sorted(s.labels.items())): s.value
        for s in samples
        if not s.name.endswith("_created")
    }


async def counted(events: Iterable[Stamped | Said]) -> dict[str, float]:
    async with open_telemetry(Settings()) as telemetry:
        for each in events:
            telemetry.heard(each)
        return shown(telemetry.metrics())


async def test_a_run_is_counted_by_its_end_and_the_way_it_went() -> None:
    decision = ev.RouteDecided(decision=RouteDecision(source="recipe"))
    found = await counted(
        [stamped(1, started()), stamped(2, decision), stamped(9, finished(quality=0.9, plan=PLAN, iterations=2))]
    )
    assert found["understudy_runs_total route=recipe status=done"] == 1
    assert found["understudy_run_seconds_sum route=recipe"] == 8
    assert found["understudy_run_quality_sum"] == 0.9
    assert found["understudy_run_revisions_sum"] == 2
    assert found["understudy_runs_started_total mode=rules"] == 1


async def test_a_run_whose_beginning_was_not_heard_has_no_duration() -> None:
    found = await counted([stamped(9, finished())])
    assert found["understudy_runs_total route=unknown status=done"] == 1
    assert "understudy_run_seconds_count route=unknown" not in found


async def test_calls_steps_people_and_failures_are_counted() -> None:
    failure = Failure(code="model_away", message="it is away")
    found = await counted(
        [
            stamped(1, begun()),
            stamped(2, ended()),
            stamped(3, ended(status="skipped")),
            stamped(4, asked(input_tokens=7, output_tokens=3, dollars=0.5)),
            stamped(5, asked(failure=failure)),
            stamped(6, called(failure=Failure(code="tool_timeout", message="late"))),
            stamped(7, ev.EffectRecorded(step="look", tool="mail", key="k", replayed=True)),
            stamped(8, ev.EffectUndone(step="look", tool="mail", key="k")),
            stamped(9, ev.ApprovalRequested(interrupt="i", requests=[])),
            stamped(10, ev.ApprovalDecided(request="r", decision=Decision(type="reject"))),
            stamped(11, ev.RoleDegraded(role="critic", reason="away")),
            stamped(12, ev.RecoveryChosen(rung="retry", why="late")),
            stamped(13, ev.RunStopped(reason="Ctrl-C")),
            stamped(14, ev.MemoryRecalled(recall=Recall(confidence=0.95))),
            Said("away", "waiting"),
        ]
    )
    model = "model=openai:gpt-5-mini"
    assert found["understudy_steps_total agent=search status=done"] == 1
    assert found["understudy_step_seconds_count agent=search"] == 1
    assert found[f"understudy_model_calls_total {model} role=planner"] == 2
    assert found[f"understudy_model_tokens_total direction=input {model}"] == 7
    assert found[f"understudy_model_dollars_total {model}"] == 0.5
    assert found[f"understudy_model_errors_total code=model_away {model}"] == 1
    assert found["understudy_tool_errors_total code=tool_timeout tool=search_documents"] == 1
    assert found["understudy_effects_total result=replayed tool=mail"] == 1
    assert found["understudy_effects_total result=undone tool=mail"] == 1
    assert found["understudy_approvals_requested_total"] == 1
    assert found["understudy_approvals_decided_total decision=reject"] == 1
    assert found["understudy_degraded_roles_total role=critic"] == 1
    assert found["understudy_recoveries_total rung=retry"] == 1
    assert found["understudy_runs_stopped_total"] == 1
    assert found["understudy_recall_confidence_sum band=reuse"] == 0.95
    assert found["understudy_worker_notes_total what=away"] == 1


async def test_an_event_that_is_told_again_counts_once() -> None:
    end = stamped(9, finished())
    found = await counted([end, end, stamped(3, called())])
    assert found["understudy_runs_total route=unknown status=done"] == 1
    assert "understudy_tool_calls_total tool=search_documents" not in found


async def test_another_run_of_a_thread_that_was_forgotten_counts() -> None:
    found = await counted([stamped(9, finished()), stamped(2, finished(), run="run-2")])
    assert found["understudy_runs_total route=unknown status=done"] == 2


async def test_hostile_names_do_not_multiply_what_is_counted() -> None:
    metrics = Metrics(most=5)
    for number in range(1_000):
        metrics.heard(stamped(number, called(tool=f"tool{number}\n\x00\ud800")))
    found = shown(metrics.text())
    named = [name for name in found if name.startswith("understudy_tool_calls_total ")]
    assert len(named) == 6
    assert found[f"understudy_tool_calls_total tool={OTHER}"] == 995
    assert found["understudy_labels_folded_total label=tool"] == 2 * 995
    assert metrics.text().isascii()


async def test_what_is_known_is_still_counted_by_name_when_there_is_no_more_room() -> None:
    metrics = Metrics(most=1)
    for tool in ("first", "second", "first"):
        metrics.heard(stamped(1, called(tool=tool)))
    assert shown(metrics.text())["understudy_tool_calls_total tool=first"] == 2


async def test_nothing_of_one_registry_is_in_another() -> None:
    Metrics().said("began")
    assert "understudy_worker_notes_total what=began" not in shown(Metrics().text())


async def test_what_waits_is_looked_for_in_the_database(tmp_path: Path) -> None:
    cautious = TEAM.model_copy(update={"autonomy": Autonomy(tier="cautious")})
    stage = Stage(cautious, Script().cast(), World(tmp_path / "effects").tools())
    settings = Settings()
    house = Playhouse(settings, stage, encoder())
    async with Orchestrator(settings, house=house) as understudy:
        await understudy.run("chain 1", thread="t")
        await house.workers.beat()
        asked = await backlog_of(house)
        question = await house.desk.of_thread("default", "t")
        assert question is not None
        await understudy.answer(question.id, {"decisions": [{"type": "approve"}]})
        decided = await backlog_of(house)
    assert (asked.open, asked.ready, asked.workers, asked.degraded) == (1, 0, 1, 0)
    assert 0 <= asked.oldest_seconds < 3600
    assert (decided.open, decided.ready) == (0, 1)


async def test_what_waits_is_shown_while_it_is_watched() -> None:
    looked = asyncio.Event()

    async def look() -> Backlog:
        looked.set()
        return Backlog(open=3, oldest_seconds=60.0, ready=1, notices=2, workers=1, degraded=0)

    async with open_telemetry(Settings()) as telemetry:
        async with telemetry.watching(look):
            await looked.wait()
            await asyncio.sleep(0)
        found = shown(telemetry.metrics())
    assert (found["understudy_questions_open"], found["understudy_questions_oldest_seconds"]) == (3, 60)


def test_metrics_are_served_to_this_machine() -> None:
    metrics = Metrics()
    metrics.said("began")
    with metrics_served(metrics, 0) as url:
        text = urllib.request.urlopen(url).read()
    assert shown(text)["understudy_worker_notes_total what=began"] == 1


def test_a_port_that_is_taken_is_told_of() -> None:
    with metrics_served(Metrics(), 0) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(InvalidSettings, match=f"port {port}"), metrics_served(Metrics(), port):
            pass


def test_an_undone_run_counts_as_such() -> None:
    metrics = Metrics()
    metrics.heard(Stamped(seq=1, time=TIME, thread="t", run="r", workspace="w", event=ev.RunFinished(
        outcome=Outcome(status="undone"))))  # fmt: skip
    assert shown(metrics.text())["understudy_runs_total route=unknown status=undone"] == 1
