"""Taking documents that are dropped into a conversation."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.errors import AccessError, Forbidden, InvalidRequest, RequestTooLarge, UnderstudyError
from understudy.console.guard import CSRF_HEADER, is_own_form
from understudy.console.visits import Visit, caller_for, visit_of
from understudy.document_store import MAX_BYTES, DocumentStore
from understudy.service.caller import Caller
from understudy.threads import checked_thread


def store_of(caller: Caller, thread: str) -> DocumentStore:
    """Return the documents of a conversation of the caller's workspace."""
    settings = caller.installation.settings
    return DocumentStore(settings.home, caller.workspace, thread, settings.data)


async def take_document(request: Request) -> Response:
    """Keep the body of a request as a document of a conversation."""
    try:
        document = await _taken(request, visit_of(request.scope))
    except UnderstudyError as error:
        return PlainTextResponse(str(error), _status(error))
    return PlainTextResponse(f"{document} is a document of this conversation now")


async def _taken(request: Request, visit: Visit) -> str:
    if not is_own_form(visit, request.headers.get(CSRF_HEADER)):
        raise Forbidden("reload the page: it does not belong to your session any more")
    caller = await caller_for(visit, request.query_params.get("workspace") or None, "run")
    if _declared(request.headers) > MAX_BYTES:
        msg = f"a document may have {MAX_BYTES:,} bytes"
        raise RequestTooLarge(msg)
    store = store_of(caller, checked_thread(request.path_params["thread"]))
    return (await store.take(request.query_params.get("name", ""), request.stream())).name


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _status(error: UnderstudyError) -> int:
    if isinstance(error, RequestTooLarge):
        return 413
    if isinstance(error, AccessError):
        return 403
    return 422 if isinstance(error, InvalidRequest) else 503
