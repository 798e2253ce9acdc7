import json
from pathlib import Path

import pytest

from evals.benchmarks.prior import main

THINGS = ["light", "alarm", "radio", "coffee", "taxi", "recipe", "mail", "stock", "joke", "game"]
FORMS = ["give me the {}", "start the {}", "i want the {} now", "the {} please", "can you do the {}", "{} again"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rows: list[dict[str, str | None]] = [
        {"goal": form.replace("{}", thing), "route": f"home_{thing}"} for form in FORMS for thing in THINGS
    ]
    unknown: list[dict[str, str | None]] = [
        {"goal": f"tell me about {word}", "route": None} for word in ("bees", "rome", "jazz", "tax")
    ]
    memory, queries = tmp_path / "memory.jsonl", tmp_path / "queries.jsonl"
    memory.write_text("\n".join(map(json.dumps, rows[:40])))
    queries.write_text("\n".join(map(json.dumps, rows[40:] + unknown)))
    return ["--memory", str(memory), "--queries", str(queries), "--memories", "12"]


def test_the_fit_prints_the_prior_and_its_held_out_figures(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(files)
    printed = json.loads(capsys.readouterr().out)
    assert printed["prior"]["similarity"] > 0
    assert printed["held_out_routes"] == 4
    assert set(printed["reuse_by_examples"]) == {"1", "2", "5"}


def test_the_same_data_give_the_same_prior(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(files)
    first = capsys.readouterr().out
    main(files)
    assert capsys.readouterr().out == first
