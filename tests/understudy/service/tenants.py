"""Two workspaces in one installation, and keys of everybody who may or may not do something in them."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.understudy.service.conftest import GOAL, client_of, opened, settings_in
from understudy.identity.principals import GRANTS, Permission, Role
from understudy.identity.settings import IdentitySettings
from understudy.service.caller import Needs
from understudy.service.routes import ROUTERS

OURS, THEIRS = "ours", "theirs"
SCOPE = {"tool": "write_file", "names": ["path", "text"], "folders": ["reports"], "free": ["text"]}
QUIET = {"id": "quiet", "kind": "time_of_day", "start": "22:00", "end": "06:00"}
LOOK = {"name": "look", "condition": "BEFORE_EXECUTION"}
BETTER = {"name": "better", "measure": "success_rate", "target": 0.9, "direction": "at_least"}
SHOWN = (
    "/threads", "/memory/tasks", "/memory/state", "/rules", "/trust", "/constraints/history", "/checkpoints/history",
    "/goals", "/signals", "/approvals", "/approvals?closed=true", "/audit/head",
)  # fmt: skip
"""What of a workspace must not change from outside; `/audit/head` stands for everything that was decided and done."""


class Operation(NamedTuple):
    """One thing that the service offers."""

    method: str
    path: str
    permission: Permission | None

    def url(self, ids: dict[str, str]) -> str:
        """Return its path with the ids of things that are there."""
        return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], self.path)


class Person(NamedTuple):
    """Somebody who asks, and what that one may do in `OURS`."""

    name: str
    token: str | None
    permits: frozenset[Permission]


class Tenants(NamedTuple):
    """The installation."""

    app: FastAPI
    client: httpx.AsyncClient
    people: list[Person]
    ids: dict[str, str]
    """Of what is in `THEIRS`, by the names that paths have for them."""
    owner: dict[str, str]
    """Headers of the admin of `THEIRS`."""

    def headers(self, name: str) -> dict[str, str]:
        """Return the headers of somebody of `OURS`."""
        return bearer(next(person.token for person in self.people if person.name == name))

    async def theirs(self) -> dict[str, Any]:
        """Return what is in `THEIRS`."""
        shown = {path: await self.client.get(path, headers=self.owner) for path in SHOWN}
        return {path: answer.json() for path, answer in shown.items()}


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def operations() -> Iterator[Operation]:
    """Yield everything that the routers offer."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            needs = [each.call.permission for each in route.dependant.dependencies if isinstance(each.call, Needs)]
            assert len(needs) <= 1, route.path
            for method in route.methods or ():
                yield Operation(method, route.path, needs[0] if needs else None)


@asynccontextmanager
async def tenants_in(folder: Path) -> AsyncIterator[Tenants]:
    """Open the installation for the length of the block."""
    settings = settings_in(folder, identity=IdentitySettings(key_rate=None, workspace_rate=None))
    async with opened(settings) as app, client_of(app) as client:
        owner = bearer(await _key(app, THEIRS, "admin"))
        ids = await _furnished(client, owner)
        yield Tenants(app, client, await _people(app), ids, owner)


async def _people(app: FastAPI) -> list[Person]:
    keys = app.state.installation.identity.keys
    people = [Person("nobody", None, frozenset()), Person("a wrong key", "us_0123456789ab_" + "x" * 43, frozenset())]
    people += [Person(role, await _key(app, OURS, role), granted) for role, granted in GRANTS.items()]
    narrow = await _key(app, OURS, "admin", scopes=["read"])
    expired = await _key(app, OURS, "admin", days=1e-9)
    revoked = await _key(app, OURS, "admin")
    await keys.revoke(revoked.split("_")[1], by="ada")
    return [
        *people,
        Person("a key that only reads", narrow, frozenset({"read"})),
        Person("an expired key", expired, frozenset()),
        Person("a revoked key", revoked, frozenset()),
    ]


async def _key(app: FastAPI, workspace: str, role: Role, **given: Any) -> str:
    keys = app.state.installation.identity.keys
    created = await keys.create(f"{role}@{workspace}", {workspace: [role]}, by="ada", **given)
    return str(created.token.get_secret_value())


async def _furnished(client: httpx.AsyncClient, owner: dict[str, str]) -> dict[str, str]:
    """Put one of everything into `THEIRS`, and return what it is called."""

    async def post(path: str, **body: Any) -> Any:
        answer = await client.post(path, json=body, headers=owner)
        assert answer.is_success, answer.text
        return answer.json()

    await post("/threads/done/runs/wait", goal=GOAL)
    task = (await client.get("/memory/tasks", headers=owner)).json()["tasks"][0]["id"]
    await post("/rules", name="reports", scope=SCOPE)
    await post("/constraints", rule=QUIET)
    await post("/signals", source="meter", name="load", value=0.5, certainty=1, expires_in=3600)
    goal = (await post("/goals", **BETTER))["goal"]["id"]
    await post("/checkpoints", checkpoint=LOOK)
    asked = await post("/threads/waits/runs/wait", goal=GOAL)
    question = (await client.get("/approvals", headers=owner)).json()[0]["id"]
    return {
        "thread": "waits", "run": asked["run"], "question": question, "task": task, "goal": goal, "name": "look",
        "rule": "reports",
    }  # fmt: skip
