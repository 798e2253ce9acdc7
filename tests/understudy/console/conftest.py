import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.understudy.console.browser import ENERGY, Console, Consoles, chromium, looking
from understudy.settings import Settings, load_settings

Configured = Callable[[Path], AbstractContextManager[Settings]]


def settings_in(folder: Path, **given: object) -> Settings:
    """Return the settings of an installation in a folder, without models unless they are given."""
    (folder / "out").mkdir(parents=True, exist_ok=True)
    # Every goal is planned anew: no test depends on what another has had remembered.
    given = {"data": ENERGY, "out": folder / "out", "user": "ada", "team": "documents", "reuse_above": 1.0} | given
    return load_settings(home=folder / "home", **given)


def plain(folder: Path) -> AbstractContextManager[Settings]:
    """A team without models, the examples' data, and nobody to be signed in."""
    return nullcontext(settings_in(folder))


@pytest.fixture(scope="module")
def bare_environment() -> Iterator[None]:
    """No settings of a developer, for fixtures that live longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("OPENAI_", "UNDERSTUDY_"))]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def consoles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    """The consoles of the tests of this process, each started once."""
    opened = Consoles(tmp_path_factory.mktemp("consoles"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def configured() -> Configured:
    """What the console of a module needs; modules that say the same share it."""
    return plain


@pytest.fixture(scope="module")
def console(
    bare_environment: None, consoles: Consoles, configured: Configured, request: pytest.FixtureRequest
) -> Console:
    """A console, in a workspace that is this module's alone."""
    shown = consoles.shown(configured.__name__, configured)
    return shown.within(request.module.__name__.rpartition("test_")[2].replace("_", "-"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: while it is open, no other loop can run in this thread."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def _kept_window(browser: Browser) -> Iterator[BrowserContext]:
    with looking(browser) as context:
        yield context


@pytest.fixture
def window(_kept_window: BrowserContext) -> Iterator[BrowserContext]:
    """A window that has scripts and styles of other tests and nothing else; scripts must not fail in it."""
    wrong = list[str]()

    def failed(error: object) -> None:
        wrong.append(str(error))

    _kept_window.on("weberror", failed)
    yield _kept_window
    for page in _kept_window.pages:
        page.close()
    _kept_window.clear_cookies()
    _kept_window.remove_listener("weberror", failed)
    assert not wrong


@pytest.fixture
def page(window: BrowserContext) -> Page:
    """A tab in which nothing is open yet."""
    return window.new_page()
