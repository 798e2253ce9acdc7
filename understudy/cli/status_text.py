"""The installation's status in words."""

from rich.text import Text

from understudy.cli.phrases import line, mode, remembered
from understudy.cli.text import one_line
from understudy.orchestrator import Status


def status_text(status: Status) -> Text:
    """Return the status, one labelled line per fact and one per open thread."""
    parts = [
        line("home", status.home),
        line("workspace", f"{status.workspace}, {remembered(status.tasks)}"),
        line("team", status.team),
        line("mode", mode(status.mode)),
        line("encoder", status.encoder),
    ]
    parts += [line("open", f"{t.thread}  {t.state}  {one_line(t.goal, 70)}") for t in status.open_threads]
    parts += [line("note", one_line(reason, 200), "yellow") for reason in status.degraded]
    return Text("\n").join(parts)
