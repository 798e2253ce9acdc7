from evals.report import Aim, Report


def test_a_report_passes_when_every_aim_is_met() -> None:
    report = Report("x", {"ratio": 1.0, "rate": 5}, (Aim("ratio", "<=", 1.5), Aim("rate", ">=", 5)))
    assert report.as_json() == {
        "benchmark": "x", "ratio": 1.0, "rate": 5, "aims": {"ratio <= 1.5": True, "rate >= 5": True}, "passed": True,
    }  # fmt: skip


def test_a_missed_or_missing_figure_fails_it() -> None:
    assert not Report("x", {"ratio": 1.6}, (Aim("ratio", "<=", 1.5),)).passed
    assert not Report("x", {}, (Aim("ratio", "<=", 1.5),)).passed


def test_a_figure_inside_another_is_found_by_its_dotted_name() -> None:
    report = Report("x", {"at_0.8": {"precision": 0.5, "coverage": None}}, (Aim("at_0.8.precision", ">=", 0.9),))
    assert not report.passed
    assert report.rows() == [("at_0.8.precision", "0.5", ">= 0.9", "NO"), ("at_0.8.coverage", "None", "", "")]
    assert not Aim("at_0.8.coverage", ">=", 0.5).met(report.figures)


def test_intervals_are_rounded_like_other_figures() -> None:
    assert Report("x", {"interval": [-9.744233998, 2.0]}, ()).rows() == [("interval", "[-9.744, 2]", "", "")]
