import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from understudy.cli.main import app

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test its own data folder and working directory, and nothing of the developer's settings."""
    for name in os.environ:
        if name.startswith(("UNDERSTUDY_", "OPENAI_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("UNDERSTUDY_HOME", str(folder))
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def understudy() -> Invoke:
    """Return the command line as a function of its arguments."""

    def invoke(*args: str, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, args, input=input)

    return invoke
