from domain.plans import Plan, Step
from evals.benchmarks.schedule import Case, level_by_level, list_scheduled, run, scheduled

DIAMOND = Case(
    Plan(
        steps=[
            Step(id="slow", agent="a", task=""),
            Step(id="quick", agent="a", task=""),
            Step(id="after_quick", agent="a", task="", needs=["quick"]),
        ]
    ),
    {"slow": (4.0,), "quick": (1.0,), "after_quick": (3.0,)},
)


def test_the_three_ways_of_scheduling_take_what_a_pencil_says() -> None:
    assert scheduled(DIAMOND) == list_scheduled(DIAMOND) == 4.0
    assert level_by_level(DIAMOND) == 7.0


def test_the_report_compares_on_the_same_plans() -> None:
    report = run(dags=40, seed=7)
    assert report.figures["dags"] == 40
    assert 0.9 < report.figures["ratio_mean"] < report.figures["level_by_level_ratio_mean"]
