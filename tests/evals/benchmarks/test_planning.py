import random

import numpy as np

from agents.planning.minimal import edges, minimal
from agents.planning.repair import repaired
from domain.validation import validate_plan
from evals.benchmarks.planning import broken, dominance_sort, means, random_plan, run
from graph.catalogue import RunCatalogue


def test_the_random_plans_are_valid_and_the_broken_ones_can_be_mended() -> None:
    given, rng = means(), random.Random(3)
    catalogue = RunCatalogue(given.team, given.tools)
    plan = random_plan(rng, given)
    assert validate_plan(plan, catalogue) == []
    slips = broken(plan, rng)
    assert {p.code for p in validate_plan(slips, catalogue)} >= {"unknown_agent", "unknown_step"}
    mended = repaired(slips, given)
    assert validate_plan(mended.plan, catalogue) == []
    assert len(mended.repairs) >= 3
    assert edges(minimal(plan)) <= edges(plan)


def test_sorting_by_pairs_is_what_a_pencil_says() -> None:
    assert dominance_sort(np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [3.0, 3.0]])) == [0, 0, 1, 2]


def test_the_report_has_every_figure_that_it_aims_at() -> None:
    report = run(runs=3)
    assert report.figures["pareto_agrees"] == 1
    assert 0 < report.figures["edges_kept"] < 1
    assert {aim.figure for aim in report.aims} <= report.figures.keys()
