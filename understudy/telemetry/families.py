"""The metrics by name: what each counts, its labels and, of a histogram, its buckets."""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]

_RUN_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400)
_STEP_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_COUNTS = (0, 1, 2, 3, 4, 5, 7, 10)


class Family(NamedTuple):
    """One metric."""

    name: str
    """Without the suffix `_total` that counters are shown with."""
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The name that queries use."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


FAMILIES: tuple[Family, ...] = (
    Family("understudy_runs_started", "counter", "Runs that began, by what leads them.", ("mode",)),
    Family("understudy_runs", "counter", "Runs that ended.", ("status", "route")),
    Family("understudy_run_seconds", "histogram", "Time of a run, with waiting for people.", ("route",), _RUN_SECONDS),
    Family("understudy_runs_stopped", "counter", "Runs that were interrupted and can be resumed."),
    Family("understudy_run_revisions", "histogram", "Revisions of a run's draft.", (), _COUNTS),
    Family("understudy_run_quality", "histogram", "What the critic gave the final draft.", (), _SHARES),
    Family("understudy_recall_confidence", "histogram", "Confidence of what memory recalled.", ("band",), _SHARES),
    Family("understudy_steps", "counter", "Steps that ended.", ("agent", "status")),
    Family("understudy_step_seconds", "histogram", "Time of a step, done or failed.", ("agent",), _STEP_SECONDS),
    Family("understudy_model_calls", "counter", "Calls of models.", ("model", "role")),
    Family("understudy_model_seconds", "histogram", "Time of a model's call.", ("model",), _STEP_SECONDS),
    Family("understudy_model_tokens", "counter", "Tokens by direction: input, output.", ("model", "direction")),
    Family("understudy_model_dollars", "counter", "Cost of models whose prices are known.", ("model",)),
    Family("understudy_model_errors", "counter", "Calls of models that failed.", ("model", "code")),
    Family("understudy_tool_calls", "counter", "Calls of tools.", ("tool",)),
    Family("understudy_tool_seconds", "histogram", "Time of a tool's call.", ("tool",), _STEP_SECONDS),
    Family("understudy_tool_errors", "counter", "Calls of tools that failed.", ("tool", "code")),
    Family("understudy_effects", "counter", "Effects: done, replayed, undone, kept.", ("tool", "result")),
    Family("understudy_rulings", "counter", "Acts by what was decided about them.", ("action",)),
    Family("understudy_approvals_requested", "counter", "Questions to people."),
    Family("understudy_approvals_decided", "counter", "Decisions of people.", ("decision",)),
    Family("understudy_recoveries", "counter", "What was done about failures.", ("rung",)),
    Family("understudy_degraded_roles", "counter", "Times that a rule-based twin stepped in.", ("role",)),
    Family("understudy_worker_notes", "counter", "What workers said of themselves.", ("what",)),
    Family("understudy_questions_open", "gauge", "Questions that wait for a person."),
    Family("understudy_questions_ready", "gauge", "Decided questions whose runs have not gone on yet."),
    Family("understudy_questions_oldest_seconds", "gauge", "Age of the oldest question that waits for a person."),
    Family("understudy_notices_waiting", "gauge", "Notices that were not sent yet."),
    Family("understudy_workers", "gauge", "Workers that live."),
    Family("understudy_degraded", "gauge", "Parts of the storage that do not work as configured."),
    Family("understudy_http_requests", "counter", "Requests.", ("method", "route", "status")),
    Family("understudy_http_seconds", "histogram", "Time of a request; a stream: until it began.", ("method", "route"),
           _REQUEST_SECONDS),
    Family("understudy_sse_readers", "gauge", "Event streams that are read now."),
    Family("understudy_spans", "counter", "Spans of traces: exported, dropped.", ("result",)),
    Family("understudy_labels_folded", "counter", "Label values beyond the bound, counted as `other`.", ("label",)),
)  # fmt: skip
"""Everything that is exposed. Labels whose values come from outside are bounded; see `understudy.telemetry.labels`."""
BY_NAME = {family.name: family for family in FAMILIES}


def as_table() -> str:
    """Return the metrics as a Markdown table."""
    rows = [f"| `{f.shown}` | {f.kind} | {', '.join(f'`{n}`' for n in f.labels) or '-'} | {f.help} |" for f in FAMILIES]
    return "\n".join(["| Metric | Kind | Labels | What |", "| --- | --- | --- | --- |", *rows])
