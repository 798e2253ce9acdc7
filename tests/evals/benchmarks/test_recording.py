from evals.benchmarks.recording import conversation, run


def test_each_conversation_quotes_the_one_before() -> None:
    assert conversation(3)[: len(conversation(2))] == conversation(2)


async def test_the_report_has_every_figure() -> None:
    report = await run(calls=20)
    assert report.figures["calls"] == 20
    assert {aim.figure for aim in report.aims} <= set(report.figures)
    assert 0 < report.figures["keeping_ms_p50"] <= report.figures["keeping_ms_p95"]
    assert 0 < report.figures["bytes_per_call"] < report.figures["bytes_as_json"] / 2
