"""The secrets that this installation knows: those of its settings, and what the environment calls one."""

import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pydantic import SecretStr

from domain.secrets import Secrets
from understudy.settings import Settings

_NAMED_SO = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|APIKEY|PAT)$", re.IGNORECASE)


def known_secrets(settings: Settings | None, more: Iterable[str] = ()) -> Secrets:
    """Return what tools, events and logs must not show.

    Args:
        settings: None where they cannot be read; then only the environment is looked at.
        more: Values that are secret as well.
    """
    given = [getattr(settings, name) for name in Settings.model_fields] if settings else []
    values = [value.get_secret_value() for value in given if isinstance(value, SecretStr)]
    named = [value for name, value in os.environ.items() if _NAMED_SO.search(name)]
    told = [*settings.notify.secrets(), *settings.telemetry.secrets(), *settings.identity.secrets()] if settings else []
    return Secrets([*values, *filter(None, map(_password, values)), *told, *named, *more])


def _password(value: str) -> str | None:
    """Return the password of a URL, which may be shown without the rest of it."""
    try:
        return urlsplit(value).password
    except ValueError:
        return None
