import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.understudy.client.served import Place, served
from understudy.cli.main import app as commands
from understudy.service.app import create_app
from understudy.settings import Settings

ENERGY = Path(__file__).parents[3] / "examples" / "energy"
Invoke = Callable[..., Result]


def settings_in(folder: Path, **given: object) -> Settings:
    """Return settings of a data folder with the rule-based twins, whatever the developer has configured."""
    for name in [name for name in os.environ if name.startswith(("UNDERSTUDY_", "OPENAI_"))]:
        del os.environ[name]
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    return Settings(home=folder / "home", data=ENERGY, out=out, user="ada", **given)  # type: ignore[arg-type]  # a test's own


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A service of one person on this machine, one for all tests of a file."""
    with served(create_app(settings_in(tmp_path_factory.mktemp("service")))) as place:
        yield place


@pytest.fixture
def understudy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Return the command line as a function of its arguments."""
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    monkeypatch.chdir(tmp_path)

    def invoke(*args: str, input: str | None = None) -> Result:
        return CliRunner().invoke(commands, args, input=input)

    return invoke
