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


@pytest.fixture
def cache(clock: Clock, shout: Shout) -> ContextCache:
    transformers = Transformers()
    transformers.register("*", "writer", shout)
    return ContextCache(transformers, max_bytes=100, clock=clock)


def test_the_same_content_is_transformed_once(cache: ContextCache, shout: Shout) -> None:
    first = cache.transform("reader", "writer", {"text": "a", "n": 1})
    assert cache.transform("reader", "writer", {"n": 1, "text": "a"}) == first == {"text": "A", "n": 1}
    assert shout.calls == ["a"]
    assert cache.status() == CacheStatus(hits=1, misses=1, entries=1, bytes=18)
    assert cache.status().hit_rate == 0.5


@pytest.mark.parametrize(
    ("source", "text"), [("planner", "a"), ("reader", "b")], ids=["another pair", "another content"]
)
def test_other_pairs_and_contents_are_other_entries(cache: ContextCache, shout: Shout, source: str, text: str) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    cache.transform(source, "writer", {"text": text})
    assert shout.calls == ["a", text]


def test_without_a_transformer_the_context_is_unchanged(cache: ContextCache) -> None:
    assert cache.transform("writer", "reader", {"text": "a"}) == {"text": "a"}


def test_a_change_to_what_was_given_out_does_not_reach_the_cache(cache: ContextCache) -> None:
    cache.transform("reader", "writer", {"text": "a", "rows": []})["rows"].append(1)
    assert cache.transform("reader", "writer", {"text": "a", "rows": []}) == {"text": "A", "rows": []}


def test_what_is_too_old_is_made_anew(cache: ContextCache, clock: Clock, shout: Shout) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    clock.now = 29 * 60
    cache.transform("reader", "writer", {"text": "a"})
    clock.now = 31 * 60
    cache.transform("reader", "writer", {"text": "a"})
    assert shout.calls == ["a", "a"]


def test_the_least_recently_used_go_first(cache: ContextCache, shout: Shout) -> None:
    for text in ("a" * 30, "b" * 30, "a" * 30, "c" * 30, "a" * 30):
        cache.transform("reader", "writer", {"text": text})
    assert [text[0] for text in shout.calls] == ["a", "b", "c"]
    assert cache.status().bytes <= 100


def test_what_is_larger_than_the_cache_is_not_kept(cache: ContextCache) -> None:
    assert cache.transform("reader", "writer", {"text": "a" * 200}) == {"text": "A" * 200}
    assert cache.status().entries == 0


def test_expired_entries_are_removed_every_so_often(clock: Clock, shout: Shout) -> None:
    cache = ContextCache(Transformers(), ttl=10.0, prune_every=300.0, clock=clock)
    cache.transform("a", "b", {"text": "x"})
    clock.now = 301.0
    cache.transform("a", "b", {"text": "y"})
    assert cache.status().entries == 1


def test_clearing_forgets_the_results(cache: ContextCache, shout: Shout) -> None:
    cache.transform("reader", "writer", {"text": "a"})
    cache.clear()
    assert cache.status().bytes == 0
    cache.transform("reader", "writer", {"text": "a"})
    assert shout.calls == ["a", "a"]


@pytest.mark.parametrize(
    "context", [{"x": object()}, {"x": float("nan")}, {"x": "\ud800"}], ids=["object", "nan", "surrogate"]
)
def test_a_context_that_is_not_json_is_refused(cache: ContextCache, context: Context) -> None:
    with pytest.raises(InvalidArguments, match="a context is a JSON object"):
        cache.transform("reader", "writer", context)


def test_a_transformer_that_gives_no_json_is_named(clock: Clock) -> None:
    transformers = Transformers()
    transformers.register("a", "b", lambda context: {"x": object()})
    with pytest.raises(TransformFailed, match="from 'a' to 'b' gave what is not JSON"):
        ContextCache(transformers, clock=clock).transform("a", "b", {})


def test_a_failure_is_not_kept(cache: ContextCache) -> None:
    with pytest.raises(TransformFailed):
        cache.transform("reader", "writer", {"no text": 1})
    assert cache.status().entries == 0


def test_many_threads_count_right(cache: ContextCache) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda n: cache.transform("reader", "writer", {"text": f"t{n % 3}"})["text"], range(300)))
    assert texts == [f"T{n % 3}" for n in range(300)]
    assert cache.status().hits + cache.status().misses == 300
