"""A small OpenID Connect provider on loopback, with keys of its own, that may be told to misbehave."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "console", "s3cret:/+ with space"
REDIRECT = "http://127.0.0.1:8321/login/done"
Claims = dict[str, Any]
SigningKey = RSAKey | ECKey


@dataclass
class Provider:
    """What it is asked for and answers."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [rsa_key("k1")])
    """The first one signs."""
    more_keys: list[Any] = field(default_factory=list)
    """Stand behind them in its key document."""
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by path."""
    clock: Callable[[], float] = time.time
    metadata: Claims = field(default_factory=dict)
    """Put over its discovery document."""
    claims: Claims = field(default_factory=dict)
    """Put over what ID tokens say of whoever signs in."""
    fails_with: int = 0
    """Status of every answer; 0: it works."""
    body: bytes | None = None
    """Sent in place of any document."""
    hangs: threading.Event | None = None
    """Answers come when it is set."""
    public_client: bool = False
    codes: dict[str, Claims] = field(default_factory=dict)

    def rotate(self, key: SigningKey) -> None:
        self.keys = [key]

    def token(
        self, key: SigningKey | None = None, alg: str = "RS256", header: Claims | None = None, **over: Any
    ) -> str:
        """A token of Ann's; claims and parts of the header that are None are left out."""
        signing, now = key or self.keys[0], int(self.clock())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "u-1", "email": "ann@example.org", "iat": now, "exp": now + 300,
        } | over  # fmt: skip
        named = {"alg": alg} | ({"kid": signing.kid} if signing.kid else {}) | (header or {})
        return jwt.encode(_given(named), _given(claims), signing, algorithms=[alg])

    def document(self, path: str) -> Claims | None:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url, "jwks_uri": f"{self.url}/keys", "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            } | self.metadata  # fmt: skip
        if path == "/keys":
            return {"keys": [*(key.as_dict(private=False) for key in self.keys), *self.more_keys]}
        return None

    def authorised(self, query: dict[str, str]) -> str:
        """Ann signs in: where her browser is sent."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchanged(self, form: dict[str, str], authorization: str) -> Claims | None:
        """The answer to a code, None where anything about it is wrong."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_right = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge.decode().rstrip("=")
            and form.get("redirect_uri") == asked["redirect_uri"]
            and self._knows(form, authorization)
        )
        if asked is None or not is_right:
            return None
        claims = {"nonce": asked["nonce"]} | self.claims
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self.token(**claims)}

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if self.public_client:
            return form.get("client_id") == CLIENT and not authorization
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote(client), unquote(secret)) == (CLIENT, SECRET)


def _given(values: Claims) -> Claims:
    return {name: value for name, value in values.items() if value is not None}


def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked[parts.path] += 1
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.authorised(query))
            self.end_headers()
            return
        self._answer(self.provider.document(parts.path))

    def do_POST(self) -> None:
        self.provider.asked[self.path] += 1
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(self.provider.exchanged(form, self.headers.get("Authorization", "")), wrong=400)

    def _answer(self, document: Claims | None, wrong: int = 404) -> None:
        if self.provider.hangs is not None:
            self.provider.hangs.wait()
        body = self.provider.body or json.dumps(document or {"error": "invalid_grant"}).encode()
        self.send_response(self.provider.fails_with or (wrong if document is None else 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """It is quiet."""


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Serve a provider until the block ends."""
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
