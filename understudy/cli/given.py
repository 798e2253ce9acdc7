"""What commands are given in a file or on stdin."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.errors import UserError


def given_text(file: str, refused: "type[UserError]") -> str:
    """Return the text of a file, or of stdin where it is called `-`.

    Raises:
        UserError: It cannot be read; of the class `refused`.
    """
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text (byte {error.start})"
        raise refused(msg) from error
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror or error}"
        raise refused(msg) from error


def given_json(file: str, refused: "type[UserError]") -> Any:
    """Return what a file, or stdin where it is called `-`, holds as JSON.

    Raises:
        UserError: It cannot be read, or is not JSON; of the class `refused`.
    """
    text = given_text(file, refused)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"this is no JSON: {error}"
        raise refused(msg) from error
