"""The installation's status in words."""

from rich.text import Text

from understudy.cli.inbox_text import clock_time
from understudy.cli.phrases import line, mode, remembered
from understudy.cli.text import one_line
from understudy.standing import Status


def status_text(status: Status) -> Text:
    """Return the status, one labelled line per fact and one per open thread."""
    parts = [
        line("home", status.home),
        line("workspace", f"{status.workspace}, {remembered(status.tasks)}"),
        line("team", status.team),
        line("mode", mode(status.mode)),
        line("encoder", status.encoder),
        line("contexts", _contexts(status)),
    ]
    if status.questions:
        due = f", the first until {clock_time(status.next_due)}" if status.next_due is not None else ""
        parts.append(line("inbox", f"{status.questions} question(s) wait for a person{due}", "yellow"))
    parts += [line("open", f"{t.thread}  {t.state}  {one_line(t.goal, 70)}") for t in status.open_threads]
    parts += [line("note", _note(reason, status.degraded_since.get(reason)), "yellow") for reason in status.degraded]
    return Text("\n").join(parts)


def _note(reason: str, since: float | None) -> str:
    return one_line(reason, 200) + (f" (since {clock_time(since)})" if since is not None else "")


def _contexts(status: Status) -> str:
    use = status.contexts
    handed = use.hits + use.misses
    if not handed:
        return "nothing was handed from step to step yet"
    return f"{handed} handed from step to step, {use.hit_rate:.0%} of them from the cache"
