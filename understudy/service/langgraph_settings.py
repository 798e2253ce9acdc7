"""Settings of our part of a LangGraph server."""

from pydantic import BaseModel, ConfigDict, field_validator

from understudy.identity.settings import is_safe_url


class StudioSettings(BaseModel):
    """Which pages may act for the person on this machine in a LangGraph server without identities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origins: tuple[str, ...] = ("https://smith.langchain.com",)
    """Origins of web pages, as browsers send them: LangGraph Studio's; add that of a chat client or an inbox, for
    example `http://localhost:3000`. Once there are API keys or an issuer, nobody acts without a credential."""

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not is_safe_url(origin) or origin.count("/") != 2 or "?" in origin:
                msg = f"{origin!r:.80} is no origin; write it as https://example.com or http://localhost:3000"
                raise ValueError(msg)
        return value
