"""Tools that a team file declares, of which one breaks down."""


def look(question: str) -> dict[str, object]:
    """Look something up.

    Args:
        question: What to look for.
    """
    return {"items": [{"name": question, "token": "planted-secret-77d1"}]}


def break_down() -> str:
    """Break down."""
    raise LookupError("the shelf is empty")
