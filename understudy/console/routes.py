"""What the console answers beside its pages: documents that are dropped in, signing in and out."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from understudy.console.audit_export import export_audit
from understudy.console.documents import take_document
from understudy.console.login import finish_login, show_login, sign_in, sign_out, start_login

Answer = Callable[[Request], Awaitable[Response]]
ROUTES: tuple[tuple[str, list[str], Answer], ...] = (
    ("/login", ["GET"], show_login),
    ("/login/key", ["POST"], sign_in),
    ("/login/issuer", ["GET"], start_login),
    ("/login/finish", ["GET"], finish_login),
    ("/logout", ["POST"], sign_out),
    ("/audit/export", ["POST"], export_audit),
    ("/c/{thread:path}/documents", ["POST"], take_document),
)
"""Path below the console, methods and what answers; the guard has seen to who asks, and from where."""
