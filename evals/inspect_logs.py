"""Results as logs of inspect-ai, which `inspect view` opens: a log for each suite, a sample for each play."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import MissingExtra
from evals.playing import PlayMode
from evals.results import SuiteResult, TaskResult

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage
    from inspect_ai.scorer import Score

PASSED = "passed"
"""The score that says whether the task passed; every other one has the name of its scorer here."""
NO_MODEL = "none/none"
"""What inspect calls a model that is not asked."""


def check_installed() -> None:
    """Look whether logs can be written.

    Raises:
        MissingExtra: inspect-ai is not installed.
    """
    try:
        import inspect_ai.log  # noqa: F401 - only whether it is there
    except ImportError as error:
        msg = "logs for inspect need inspect-ai; install it with: pip install 'understudy[evals]'"
        raise MissingExtra(msg) from error


def write_logs(folder: Path, suites: Sequence[SuiteResult], mode: PlayMode) -> list[Path]:
    """Write a log of each suite into a folder and return the files.

    Raises:
        MissingExtra: inspect-ai is not installed.
    """
    check_installed()
    from inspect_ai.log import recompute_metrics, write_eval_log

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for suite in suites:
        log = _log(suite, mode)
        recompute_metrics(log)
        place = folder / f"{log.eval.created.replace(':', '-')}_{suite.name}_{log.eval.task_id}.eval"
        write_eval_log(log, str(place))
        written.append(place)
    return written


def scores_of(result: TaskResult) -> "dict[str, Score]":
    """Return what inspect shows of a result: whether it passed and why not, and whether each scorer found it right.

    What the scorers measured is beside that, so that pass^k counts what is right.
    """
    from inspect_ai.scorer import Score

    measured = result.metrics()
    efficiency = {name: value for name, value in measured.items() if name.startswith("efficiency.")}
    scores = {
        PASSED: Score(value=measured[PASSED], explanation="\n".join(result.failures) or None, metadata=efficiency)
    }
    found: dict[str, list[str]] = {}
    for score in (score for turn in result.turns for score in turn.scores if score.kind == "correctness"):
        found.setdefault(score.name, []).extend([] if score.passed else [score.detail])
    return scores | {
        name: Score(value=float(not wrong), explanation="\n".join(wrong) or None, metadata={"value": measured[name]})
        for name, wrong in sorted(found.items())
    }


def messages_of(result: TaskResult) -> "list[ChatMessage]":
    """Return the play as a conversation: what the person did, and what came of it step by step."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

    messages: list[ChatMessage] = []
    for trace in result.traces:
        messages.append(ChatMessageUser(content=trace.said))
        messages.append(ChatMessageAssistant(content="\n".join(list(trace.lines())[1:])))
    return messages


def details_of(result: TaskResult) -> dict[str, Any]:
    """Return everything else about a play."""
    return result.model_dump(mode="json", include={"drifts", "unused_calls", "changed_output", "error"})


def _log(suite: SuiteResult, mode: PlayMode) -> "EvalLog":
    from inspect_ai.log import EvalLog

    now = datetime.now(UTC).isoformat(timespec="seconds")
    metrics = [{"name": "mean"}, {"name": "stderr"}]
    spec = {
        "created": now,
        "run_id": f"{suite.name}-{now}",
        "task_id": suite.name,
        "task": suite.name,
        "task_args": {"mode": mode},
        "dataset": {"name": suite.name, "samples": len(suite.tasks), "sample_ids": suite.tasks},
        "model": NO_MODEL,
        "config": {"epochs": suite.epochs, "epochs_reducer": reducers(suite.epochs)},
        "packages": {name: version(name) for name in ("inspect_ai", "understudy")},
        "scorers": [{"name": PASSED, "metrics": metrics}],
        "metrics": metrics,
    }
    samples = [_sample(result) for result in sorted(suite.results, key=lambda result: (result.task, result.epoch))]
    stats = {"started_at": now, "completed_at": now}
    return EvalLog.model_validate({"status": "success", "eval": spec, "stats": stats, "samples": samples})


def reducers(epochs: int) -> list[str]:
    """Return how the plays of a task become one: their mean, and with several the chance that all succeed (pass^k)."""
    return ["mean", f"pass_k_{epochs}"] if epochs > 1 else ["mean"]


def _sample(result: TaskResult) -> "EvalSample":
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput

    said = result.traces[0].said if result.traces else ""
    answer = result.traces[-1].answer if result.traces else ""
    return EvalSample(
        id=result.task,
        epoch=result.epoch,
        input=said or result.task,
        target="",
        messages=messages_of(result),
        output=ModelOutput.from_content(NO_MODEL, answer or result.error),
        scores=scores_of(result),
        metadata=details_of(result),
    )
