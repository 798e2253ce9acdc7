"""The entry point: one app, its commands, and what must be set before any of them runs.

Only light modules are imported here and at the top of the command modules: `understudy --help` must answer at once.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli import (
    audit,
    backup,
    bench,
    bottlenecks,
    chat,
    checkpoints,
    cluster,
    consent,
    evaluate,
    export,
    feedback,
    friction,
    inbox,
    keys,
    members,
    memory,
    migrate,
    notify,
    performance,
    plan,
    plugins,
    prune,
    route,
    rules,
    run,
    serve,
    state,
    status,
    team,
    tools,
    trace,
    trial,
    undo,
    worker,
)
from understudy.cli.errors import USAGE, Group, complain

EPILOG = """\b
Examples:
  understudy chat --data examples/energy
  understudy run "Which source of electricity grew most, and why?" --data examples/energy
  understudy status

Settings come from options, then UNDERSTUDY_* variables (also in a .env file), then understudy.toml. With
OPENAI_API_KEY, and optionally OPENAI_BASE_URL, a model plays the roles; without, rule-based understudies do.

Exit codes: 0 done, 1 failed, rejected or out of budget, 2 usage, 3 waits for a person, 130 interrupted.
"""

app = typer.Typer(
    name="understudy",
    cls=Group,
    epilog=EPILOG,
    rich_markup_mode=None,  # rich help takes three times as long to start
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
app.command(epilog=chat.EXAMPLES)(chat.chat)
app.command(epilog=run.RUN_EXAMPLES)(run.run)
app.command(epilog=run.RESUME_EXAMPLES)(run.resume)
app.command(epilog=route.EXAMPLES)(route.route)
app.command(epilog=plan.EXAMPLES)(plan.plan)
app.add_typer(team.app, name="team")
app.add_typer(tools.app, name="tools")
app.command(epilog=plugins.EXAMPLES)(plugins.plugins)
app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(memory.app, name="memory")
app.add_typer(rules.app, name="rules")
app.add_typer(consent.app, name="consent")
app.command(epilog=feedback.EXAMPLES)(feedback.feedback)
app.command(epilog=performance.EXAMPLES)(performance.performance)
app.add_typer(trial.app, name="trial")
app.add_typer(inbox.app, name="inbox")
app.add_typer(notify.app, name="notify")
app.command(epilog=friction.EXAMPLES)(friction.friction)
app.add_typer(audit.app, name="audit")
app.command(epilog=status.EXAMPLES)(status.status)
app.command(epilog=state.EXAMPLES)(state.state)
app.command(epilog=prune.EXAMPLES)(prune.prune)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=trace.EXAMPLES)(trace.trace)
app.command(epilog=bottlenecks.EXAMPLES)(bottlenecks.bottlenecks)
app.command(epilog=undo.EXAMPLES)(undo.undo)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.add_typer(keys.app, name="keys")
app.add_typer(members.app, name="members")
app.command(epilog=worker.EXAMPLES)(worker.worker)
app.command(epilog=migrate.EXAMPLES)(migrate.migrate)
app.command(epilog=backup.BACKUP_EXAMPLES)(backup.backup)
app.command(epilog=backup.RESTORE_EXAMPLES)(backup.restore)
app.command(epilog=cluster.EXAMPLES)(cluster.cluster)
app.add_typer(evaluate.app, name="eval")
app.add_typer(bench.app, name="bench")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"understudy {version('understudy')}")
        except PackageNotFoundError:
            typer.echo("understudy, run from its source folder without being installed")
        raise typer.Exit


@app.callback()
def prepare(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """A team of agents that remembers what worked, checks its own work, and asks a person when it matters."""
    # Checkpoints are read from disk; without this a crafted one could run code.
    os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
    if Path(".env").is_file():
        from dotenv import load_dotenv

        load_dotenv(".env")


def main() -> None:
    """Run the command line."""
    _open_missing_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # Bytes that are not text, and text that the terminal's encoding lacks, are shown as such.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # always text files here
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app(prog_name="understudy")


def _open_missing_streams() -> None:
    """Give closed standard streams a file, or the next opened file would take their place and be written to."""
    missing = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    if not any(missing):
        return
    for number, is_missing in enumerate(missing):
        if is_missing:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if sys.stdout is None:
        complain("standard output is closed: send it to a file or a pipe")
        raise SystemExit(USAGE)


if __name__ == "__main__":
    main()
