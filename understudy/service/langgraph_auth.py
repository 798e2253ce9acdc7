"""Who may do what in a LangGraph server: its threads, runs, assistants and store belong to workspaces.

The server imports `auth` by name, as `langgraph.json` says. Who somebody is and which workspaces are theirs is decided
where the service decides it (`understudy.identity`). Everything that is made carries its workspace in its metadata,
whatever a client writes there, and nothing of another workspace is found, read, changed or run.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from langgraph_sdk import Auth, get_client
from starlette.exceptions import HTTPException

from domain.errors import Forbidden, TooManyRequests, UnderstudyError
from understudy.identity.access import Identity
from understudy.identity.keys import PREFIX
from understudy.identity.local import is_local_request
from understudy.identity.principals import EVERYWHERE, Permission, Principal
from understudy.service.caller import caller_of
from understudy.service.langgraph_app import served
from understudy.service.problems import status_of

auth = Auth()

WORKSPACE_HEADER = "x-understudy-workspace"
"""Names the workspace that is meant, where somebody has several."""
_END = "__end__"
_CHOSEN = ("workspace", "user", "team", "data", "out", "key")
"""Fields of a run's context that only the person on this machine chooses."""
_NEEDS: dict[tuple[str, str], Permission] = {
    ("threads", "create"): "run",
    ("threads", "read"): "read",
    ("threads", "search"): "read",
    ("threads", "update"): "run",
    ("threads", "delete"): "run",
    ("threads", "create_run"): "run",
    ("assistants", "create"): "manage",
    ("assistants", "read"): "read",
    ("assistants", "search"): "read",
    ("assistants", "update"): "manage",
    ("assistants", "delete"): "manage",
    ("store", "put"): "run",
    ("store", "get"): "read",
    ("store", "search"): "read",
    ("store", "list_namespaces"): "read",
    ("store", "delete"): "run",
}
"""What is not here nobody may: a cron job would go on acting for somebody who has left."""


@auth.authenticate
async def authenticate(headers: dict[bytes, bytes], scope: dict[str, Any]) -> dict[str, Any]:
    """Return who asks, in which workspace; raise the status that the service would answer."""
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.items()}
    try:
        installation = served.installation
        principal = await installation.identity.identify(
            authorization=_credential(given),
            session=None,
            address=(scope.get("client") or [""])[0],
            is_local=_is_local(given, installation.settings.studio.origins),
        )
        caller = caller_of(installation, principal, given.get(WORKSPACE_HEADER), "read")
        await installation.identity.charge(principal, caller.workspace)
    except UnderstudyError as error:
        _refuse(error)
    return {
        "identity": principal.user,
        "display_name": principal.user,
        "is_authenticated": True,
        "workspace": caller.workspace,
        "team": installation.settings.team,
        "key": principal.key,
        "is_free": principal.via == "loopback",
        "approves": principal.permits(caller.workspace, "approve"),
        "principal": _seen(principal, caller.workspace).model_dump_json(),
    }


@auth.on
async def authorize(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> Auth.types.FilterType | None:
    """Return what must be true of what is asked for, having marked what is made; raise 403 where it may not be."""
    asked = _Asked(ctx.user)
    try:
        asked.allow(_NEEDS.get((ctx.resource, ctx.action)))
        if ctx.resource == "store":
            _keep_within(value, asked.workspace)
            return None
        if ctx.action == "create_run":
            _check_context(asked, value)
            await _check_run(asked, value)
        elif (ctx.resource, ctx.action) == ("threads", "update") and not {"metadata", "action"} & set(value):
            asked.allow("manage")  # a changed state can say that somebody has approved
        _check_context(asked, value)
    except UnderstudyError as error:
        raise Auth.exceptions.HTTPException(status_code=status_of(error), detail=str(error)) from None
    if ctx.action in ("create", "update", "create_run") and "action" not in value:
        _mark(asked, value, ctx.resource)
    return _filter(asked, ctx)


class _Asked:
    """Who asks, as the server hands it back."""

    def __init__(self, user: Any) -> None:
        self.user, self.workspace = str(user.identity), str(user.workspace)
        self.is_free = bool(user.is_free)
        self._principal = Principal.model_validate_json(user.principal)

    def allow(self, permission: Permission | None) -> None:
        if permission is None:
            raise Forbidden("this is not offered here")
        Identity.allow(self._principal, self.workspace, permission)

    def can(self, permission: Permission) -> bool:
        return self._principal.permits(self.workspace, permission)


def _seen(principal: Principal, workspace: str) -> Principal:
    """Return what of somebody concerns a workspace: the server keeps it with runs, where its members can read it."""
    roles = [principal.memberships.get(place, frozenset()) for place in (workspace, EVERYWHERE)]
    return principal.model_copy(update={"memberships": {workspace: frozenset().union(*roles)}, "claimed": {}})


def _credential(headers: Mapping[str, str]) -> str | None:
    """Return what says who asks; chat clients and inboxes can send nothing but `x-api-key`, at times another's."""
    key = headers.get("x-api-key", "")
    return headers.get("authorization") or (f"Bearer {key}" if key.startswith(PREFIX) else None)


def _is_local(headers: Mapping[str, str], trusted: tuple[str, ...]) -> bool:
    origin = headers.get("origin")
    return is_local_request(headers.get("host"), None if origin in trusted else origin, headers)


def _refuse(error: UnderstudyError) -> NoReturn:
    status, headers = status_of(error), {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    raise HTTPException(status, str(error), headers)


async def _check_run(asked: _Asked, value: Mapping[str, Any]) -> None:
    """Return where a run may be started with this; an answer to an open question takes an approver, in any form."""
    kwargs = value.get("kwargs") or {}
    command = kwargs.get("command") or {}
    if command.get("update") or command.get("goto") not in (None, [], _END, [_END]):
        asked.allow("manage")
    if asked.can("approve"):
        return
    if command.get("resume") is not None or (kwargs.get("input") and await _has_question(value.get("thread_id"))):
        asked.allow("approve")


async def _has_question(thread: Any) -> bool:
    if thread is None:
        return False
    async with get_client(api_key=None) as inside:  # without an address it stays in this process, past the identities
        found = await inside.threads.search(ids=[str(thread)], limit=1)
    return bool(found and found[0].get("interrupts"))


def _check_context(asked: _Asked, value: Mapping[str, Any]) -> None:
    """Return where a context says nothing of who asks, and where, or says it rightly."""
    context = value.get("context") or (value.get("kwargs") or {}).get("context") or {}
    true = {"workspace": asked.workspace, "user": asked.user}
    wrong = [name for name in _CHOSEN if name in context and context[name] != true.get(name)]
    if wrong and not asked.is_free:
        msg = f"the context must not say {', '.join(wrong)}: who asks decides it"
        raise Forbidden(msg)


def _mark(asked: _Asked, value: dict[str, Any], resource: str) -> None:
    """Write into the metadata to whom something belongs; the mapping itself is what the server keeps."""
    metadata = value.get("metadata")
    if metadata is None:
        metadata = value["metadata"] = {}
    metadata["workspace"] = asked.workspace
    metadata.setdefault("owner", asked.user)
    if resource == "assistants":
        metadata["created_by"] = asked.user  # "system" marks those that everybody may use


def _filter(asked: _Asked, ctx: Auth.types.AuthContext) -> Auth.types.FilterType | None:
    if asked.is_free:
        return None
    own: Auth.types.FilterType = {"workspace": asked.workspace}
    if (ctx.resource, ctx.action) == ("threads", "delete") and not asked.can("manage"):
        return {**own, "owner": asked.user}  # as the server itself does for runs without a thread
    if ctx.resource == "assistants" and ctx.action in ("read", "search"):
        shared: Any = {"$or": [own, {"created_by": "system"}]}
        return shared  # type: ignore[no-any-return]  # the server's own operator
    return own


def _keep_within(value: dict[str, Any], workspace: str) -> None:
    """Have a namespace of the store lie in the workspace."""
    namespace = tuple(value.get("namespace") or ())
    value["namespace"] = namespace if namespace[:1] == (workspace,) else (workspace, *namespace)
