"""How an installation stands, as its server tells it."""

from typing import Any

from understudy.client.reading import part, read
from understudy.context_use import ContextUse
from understudy.standing import Status

_NAMED = ("workspace", "team", "mode", "encoder", "tasks", "open_threads", "questions", "next_due", "contexts")


def status_of(value: Any, place: str) -> Status:
    """Return the status that an answer shows, which may show more.

    Args:
        value: The answer.
        place: Where the server is, in place of its folder, which it does not tell.

    Raises:
        ServiceError: It shows none.
    """
    shown = part(value, *_NAMED)
    troubles = [part(each, "reason", "since") for each in read(list[Any], part(value, "degraded").get("degraded"))]
    since = {str(each.get("reason")): each.get("since") for each in troubles}
    contexts = part(shown.get("contexts"), *ContextUse.model_fields)
    found = {"home": place, "contexts": contexts, "degraded": list(since), "degraded_since": since}
    return read(Status, shown | found)
