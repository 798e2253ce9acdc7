import asyncio

import pytest
from pydantic import SecretStr

from domain.errors import TooManyRequests
from tests.redis_server import RedisServer
from understudy.identity import limits as module
from understudy.identity.limits import Limits, open_limits
from understudy.identity.principals import Principal
from understudy.identity.settings import IdentitySettings

DAY = IdentitySettings(key_rate="3/day", workspace_rate="5/day")


def who(key: str = "", user: str = "ann") -> Principal:
    return Principal(user=user, memberships={}, via="key" if key else "oidc", key=key)


async def allowed(limits: Limits, principal: Principal, workspace: str = "acme", times: int = 10) -> int:
    """How many of so many requests at once are let through."""
    asked = [limits.charge(principal, workspace) for _ in range(times)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(result is None or isinstance(result, TooManyRequests) for result in results)
    return results.count(None)


async def test_a_key_may_ask_so_often() -> None:
    async with open_limits(DAY, None) as limits:
        assert await allowed(limits, who("k1")) == 3
        with pytest.raises(TooManyRequests, match=r"this key may ask 3 times in 86,400 seconds") as error:
            await limits.charge(who("k1"), "acme")
        assert 1 <= error.value.retry_after <= 86_400
        assert await allowed(limits, who("k2"), "beta") == 3


async def test_a_workspace_may_be_asked_so_often_by_all_together() -> None:
    async with open_limits(DAY, None) as limits:
        assert await allowed(limits, who("k1")) + await allowed(limits, who("k2")) == 5
        with pytest.raises(TooManyRequests, match="workspace 'acme'"):
            await limits.charge(who("k3"), "acme")
        assert await allowed(limits, who("k3"), "beta") == 2, "what the workspace refused was asked, too"


async def test_what_a_key_asks_too_much_is_not_charged_to_the_workspace() -> None:
    async with open_limits(DAY, None) as limits:
        await allowed(limits, who("k1"), times=50)
        assert await allowed(limits, who("k2"), times=2) == 2


async def test_names_are_not_mixed_up() -> None:
    settings = IdentitySettings(key_rate="1/day", workspace_rate=None)
    async with open_limits(settings, None) as limits:
        people = [who(user=name) for name in ("a", "a/1/1/day", "workspace/a", "a" * 10_000, "a\nb", "名")]
        assert [await allowed(limits, person) for person in people] == [1] * 6
        assert await allowed(limits, who("a")) == 1, "a key is not the user of that name"


async def test_without_rates_everybody_asks_as_often_as_wanted() -> None:
    async with open_limits(IdentitySettings(key_rate=None, workspace_rate=None), None) as limits:
        assert await allowed(limits, who("k1"), times=500) == 500


async def test_processes_count_together_in_redis(shared_redis: RedisServer) -> None:
    await shared_redis.empty()
    async with open_limits(DAY, shared_redis.url) as one, open_limits(DAY, shared_redis.url) as other:
        assert await allowed(one, who("k1")) + await allowed(other, who("k1")) == 3
        async with shared_redis.client() as client:
            assert not [key async for key in client.scan_iter() if "k1" in key]
        await shared_redis.empty()
        assert await allowed(other, who("k1")) == 3


async def test_each_process_counts_alone_while_redis_is_away(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_limits(DAY, redis_server.url) as limits:
        assert await allowed(limits, who("k1"), times=2) == 2
        redis_server.kill()
        assert await allowed(limits, who("k1")) == 3
        assert await allowed(limits, who("k2")) == 2
        told = [record.getMessage() for record in caplog.records if record.name == module.__name__]
        assert told == ["Redis does not count requests (ConnectionError): each process counts alone"]
        redis_server.start()
        monkeypatch.setattr(limits, "_ask_again", 0.0)
        assert await allowed(limits, who("k1")) == 1, "Redis remembers the first two"
        assert caplog.records[-1].getMessage() == "Redis counts requests again"


async def test_a_redis_that_was_never_there_stops_nobody() -> None:
    async with open_limits(DAY, SecretStr("redis://:pass@127.0.0.1:1/0")) as limits:
        assert await allowed(limits, who("k1")) == 3


async def test_who_has_waited_may_ask_again(shared_redis: RedisServer) -> None:
    await shared_redis.empty()
    async with open_limits(DAY, shared_redis.url) as limits:
        assert await allowed(limits, who("k1")) == 3
        await shared_redis.age(2 * 86_400)
        assert await allowed(limits, who("k1")) == 3
