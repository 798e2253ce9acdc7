from evals.benchmarks.compare import run


def test_nothing_is_alarmed_about_and_a_drop_of_ten_points_is_found() -> None:
    report = run(seeds=6, sizes=(10, 120), epochs=(5,))
    assert report.passed
    assert (report.figures["alarms_replayed"], report.figures["drop_found_replayed"]) == (0, 1)
    few, many = report.figures["drop_found_live"]["5 epochs"].values()
    assert few < many == 1
    assert report.figures["enough_live"] == {"5 epochs": "120 tasks"}
