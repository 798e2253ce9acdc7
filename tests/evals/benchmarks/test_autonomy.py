"""The benchmark of rulings, shortened: it times the real thing, on the past that it says it has written."""

from pathlib import Path

from evals.benchmarks.autonomy import AIMS, entries, run
from graph.context import Context
from understudy.settings import load_settings
from understudy.wiring import House


async def test_it_times_rulings_in_a_workspace_with_rules_and_a_past(tmp_path: Path) -> None:
    written: list[int] = []
    async with House(load_settings(home=tmp_path)) as house:
        services = await house.services_for(Context())
        report = await run(services, rules=3, decisions=20, rulings=5, progress=written.append)
        rules = await house.autonomy.rules.active("default", "send", "ada")
        constraints = (await house.constraints.active("default")).rules
        past = await services.lessons.decisions.all("default")
    assert (len(rules), len(constraints), len(past), sum(written)) == (3, 3, 20, entries(3, 20))
    assert report.figures["ruling_ms_p95"] >= report.figures["ruling_ms_p50"] > 0
    assert report.aims == AIMS
    assert report.notes == ("rulings were: act_and_notify (standing_rule), ask (tier)",)
