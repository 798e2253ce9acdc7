from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from agents.context_cache import CacheStatus, ContextCache
from agents.transformers import Context, Transformers
from domain.errors import InvalidArguments, TransformFailed


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Shout:
    """A transformer that counts its calls."""

    calls: list[str] = field(default_factory=list)

    def __call__(self, context: Context) -> Context:
        self.calls.append(context["text"])
        return {**context, "text": context["text"].upper()}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shout() -> Shout:
    return Shout()


class Desk:
    """A cache with the transformers and the workspace that the tests share."""

    def __init__(self, transformers: Transformers, cache: ContextCache) -> None:
        self.transformers, self.cache = transformers, cache
        self.status, self.clear = cache.status, cache.clear

    def transform(self, source: str, target: str, context: Context, workspace: str = "acme") -> Context:
        return self.cache.transform(self.transformers, workspace, source, target, context)


@pytest.fixture
def cache(clock: Clock, shout: Shout) -> Desk:
    transformers = Transformers()
    transformers.register("*", "writer", shout)
    transformers.register("planner", "writer", shout)
    return Desk(transformers, ContextCache(max_bytes=100, clock=clock))


def test_the_same_content_is_transformed_once(cache: Desk, shout: Shout) -> None:
    first = cache.transform("reader", "writer", {"text": "a", "n": 1})
    assert cache.transform("reader", "writer", {"n": 1, "text": "a"}) == first == {"text": "A", "n": 1}
    assert shout.calls == ["a"]
    assert cache.status() == CacheStatus(hits=1, misses=1, entries=1, bytes=18)
    assert cache.status().hit_rate == 0.5


@pytest.mark.parametrize(
    ("source", "text"), [("planner", "a"), ("reader", "b")], ids=["another pair", "another content"]
)
def test_other_pairs_and_contents_are_other_entries(cache: Desk, shout: Shout, source: str, text: str) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    cache.transform(source, "writer", {"text": text})
    assert shout.calls == ["a", text]


def test_what_anyone_gets_is_made_once_for_all(cache: Desk, shout: Shout) -> None:
    for source in ("reader", "searcher", "reader"):
        cache.transform(source, "writer", {"text": "a"})
    assert shout.calls == ["a"]


def test_workspaces_share_no_entries(cache: Desk, shout: Shout) -> None:
    for workspace in ("acme", "other", "acme"):
        cache.transform("reader", "writer", {"text": "a"}, workspace)
    assert shout.calls == ["a", "a"]


def test_a_later_registration_reaches_what_was_made_before(cache: Desk) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    cache.transformers.register("reader", "writer")
    assert cache.transform("reader", "writer", {"text": "a"}) == {"text": "a"}
    cache.transformers.register("*", "writer")
    assert cache.transform("searcher", "writer", {"text": "a"}) == {"text": "a"}


def test_without_a_transformer_the_context_is_unchanged(cache: Desk) -> None:
    assert cache.transform("writer", "reader", {"text": "a"}) == {"text": "a"}


def test_a_change_to_what_was_given_out_does_not_reach_the_cache(cache: Desk) -> None:
    cache.transform("reader", "writer", {"text": "a", "rows": []})["rows"].append(1)
    assert cache.transform("reader", "writer", {"text": "a", "rows": []}) == {"text": "A", "rows": []}


def test_what_is_too_old_is_made_anew(cache: Desk, clock: Clock, shout: Shout) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    clock.now = 29 * 60
    cache.transform("reader", "writer", {"text": "a"})
    clock.now = 31 * 60
    cache.transform("reader", "writer", {"text": "a"})
    assert shout.calls == ["a", "a"]


def test_the_least_recently_used_go_first(cache: Desk, shout: Shout) -> None:
    for text in ("a" * 30, "b" * 30, "a" * 30, "c" * 30, "a" * 30):
        cache.transform("reader", "writer", {"text": text})
    assert [text[0] for text in shout.calls] == ["a", "b", "c"]
    assert cache.status().bytes <= 100


def test_what_is_larger_than_the_cache_is_not_kept(cache: Desk) -> None:
    assert cache.transform("reader", "writer", {"text": "a" * 200}) == {"text": "A" * 200}
    assert cache.status().entries == 0


def test_expired_entries_are_removed_every_so_often(clock: Clock, shout: Shout) -> None:
    transformers = Transformers()
    transformers.register("*", "*")
    cache = Desk(transformers, ContextCache(ttl=10.0, prune_every=300.0, clock=clock))
    cache.transform("a", "b", {"text": "x"})
    clock.now = 301.0
    cache.transform("a", "b", {"text": "y"})
    assert cache.status().entries == 1


def test_clearing_forgets_the_results(cache: Desk, shout: Shout) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    cache.clear()
    assert cache.status().bytes == 0
    cache.transform("reader", "writer", {"text": "a"})
    assert shout.calls == ["a", "a"]


@pytest.mark.parametrize(
    "context", [{"x": object()}, {"x": float("nan")}, {"x": "\ud800"}], ids=["object", "nan", "surrogate"]
)
def test_a_context_that_is_not_json_is_refused(cache: Desk, context: Context) -> None:
    with pytest.raises(InvalidArguments, match="a context is a JSON object"):
        cache.transform("reader", "writer", context)


def test_a_transformer_that_gives_no_json_is_named(clock: Clock) -> None:
    transformers = Transformers()
    transformers.register("a", "b", lambda context: {"x": object()})
    with pytest.raises(TransformFailed, match="from 'a' to 'b' gave what is not JSON"):
        Desk(transformers, ContextCache(clock=clock)).transform("a", "b", {})


def test_a_failure_is_not_kept(cache: Desk) -> None:
    with pytest.raises(TransformFailed):
        cache.transform("reader", "writer", {"no text": 1})
    assert cache.status().entries == 0


def test_many_threads_count_right(cache: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: cache.transform("reader", "writer", {"text": f"t{n % 3}"})["text"], range(300)))
    assert texts == [f"T{n % 3}" for n in range(300)]
    assert cache.status().hits + cache.status().misses == 300
