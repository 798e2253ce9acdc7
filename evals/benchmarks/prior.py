"""Fit the match prior that ships with an encoder, and measure it on routes that the fit never saw.

`python -m evals.benchmarks.prior --memory A.jsonl --queries B.jsonl`, rows `{"goal": ..., "route": ... | null}`.

Many small memories are drawn: 1-20 routes with 1-5 examples each. Each is asked as many known as unknown requests
(a route it does not hold, or none at all), and half of the unknown ones come from the same field where there are
any (the part of the route before the first underscore): a workspace's new tasks resemble its old ones.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.routing import REUSE_ABOVE
from evals.benchmarks.reliability import calibration_error
from evals.benchmarks.route_rows import Row, read_rows
from memory.confidence import Closeness, Features, MatchPrior, features
from memory.encoders import DEFAULT_ENCODER, encoder
from memory.lexical import Lexicon, ask_of

ROUTES = (1, 2, 3, 5, 10, 20)
EXAMPLES = (1, 2, 3, 5)
QUERIES = 40
NEIGHBOURS = 8
MEMORIES = 250
FITTED_SHARE = 0.6
"""Share of the routes that are fitted; the others are held out."""


class Sample(NamedTuple):
    """One request put to one small memory."""

    features: Features
    matched: bool
    """Whether the best sequence was the request's own."""
    known: bool
    examples: int
    similarity: float


@dataclass(frozen=True)
class Corpus:
    """Memory and query rows with their cosine similarities, each of shape [queries, memory]."""

    memory: Sequence[Row]
    queries: Sequence[Row]
    whole: npt.NDArray[np.float32]
    ask: npt.NDArray[np.float32]

    @classmethod
    def of(cls, memory: Sequence[Row], queries: Sequence[Row], encoder_name: str) -> "Corpus":
        """Encode the rows."""
        encode = encoder(encoder_name).encode
        whole = encode([q.goal for q in queries]) @ encode([m.goal for m in memory]).T
        ask = encode([ask_of(q.goal) for q in queries]) @ encode([ask_of(m.goal) for m in memory]).T
        return cls(memory, queries, whole, ask)

    @property
    def routes(self) -> list[str]:
        """The routes of the memory rows."""
        return sorted({m.route for m in self.memory if m.route})


def sampled(corpus: Corpus, routes: Sequence[str], *, memories: int, seed: int) -> list[Sample]:
    """Return samples from small memories over `routes`."""
    rng = random.Random(seed)
    return [sample for _ in range(memories) for sample in _one_memory(corpus, routes, rng)]


def _one_memory(corpus: Corpus, routes: Sequence[str], rng: random.Random) -> Iterable[Sample]:
    held = rng.sample(list(routes), min(rng.choice(ROUTES), len(routes)))
    examples = rng.choice(EXAMPLES)
    rows = _examples(corpus, held, examples, rng)
    lexicon = Lexicon()
    lexicon.add([ask_of(corpus.memory[row].goal) for row in rows])
    for query in _requests(corpus, routes, held, rng):
        yield _sample(corpus, lexicon, rows, query, set(held), examples)


def _examples(corpus: Corpus, held: Sequence[str], count: int, rng: random.Random) -> list[int]:
    by_route: dict[str | None, list[int]] = defaultdict(list)
    for i, row in enumerate(corpus.memory):
        by_route[row.route].append(i)
    return [i for route in held for i in rng.sample(by_route[route], min(count, len(by_route[route])))]


def _requests(corpus: Corpus, routes: Sequence[str], held: Sequence[str], rng: random.Random) -> list[int]:
    half = QUERIES // 2
    fields = {route.split("_")[0] for route in held}
    queries = list(enumerate(corpus.queries))
    known = [i for i, q in queries if q.route in held]
    unknown = [i for i, q in queries if q.route not in held and (q.route is None or q.route in routes)]
    near = [i for i in unknown if corpus.queries[i].field in fields]
    hard = rng.sample(near, min(half // 2, len(near)))
    easy = rng.sample(unknown, min(half, len(unknown)))
    return rng.sample(known, min(half, len(known))) + (hard + easy)[:half]


def _sample(corpus: Corpus, lexicon: Lexicon, rows: Sequence[int], query: int, held: set[str], examples: int) -> Sample:
    near = sorted(rows, key=lambda row: -corpus.whole[query, row])[:NEIGHBOURS]
    asks = [ask_of(corpus.memory[row].goal) for row in near]
    lexical = lexicon.similarities(ask_of(corpus.queries[query].goal), asks)
    groups: dict[str, list[Closeness]] = defaultdict(list)
    for row, words in zip(near, lexical, strict=True):
        closeness = Closeness(float(corpus.whole[query, row]), float(corpus.ask[query, row]), words)
        groups[str(corpus.memory[row].route)].append(closeness)
    best = max(groups, key=lambda route: max(c.rank for c in groups[route]))
    route = corpus.queries[query].route
    found = features(groups, best)
    return Sample(found, best == route, route in held, examples, found.similarity)


def fitted(samples: Sequence[Sample]) -> MatchPrior:
    """Return the logistic model of `samples`."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types

    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit([s.features for s in samples], [s.matched for s in samples])
    weights = Features(*(round(float(w), 2) for w in model.coef_[0]))
    return MatchPrior(round(float(model.intercept_[0]), 2), weights)


def measured(prior: MatchPrior, samples: Sequence[Sample]) -> dict[str, Any]:
    """Return precision and coverage above the reuse threshold, calibration error and the similarity curve."""
    p = np.array([prior.probability(s.features) for s in samples])
    y = np.array([s.matched for s in samples])
    by_examples = {str(n): _reuse(p, y, samples, n) for n in (1, 2, 5)}
    similarity = np.array([s.similarity for s in samples])
    return {
        "calibration_error": round(calibration_error(p, y), 3),
        "reuse_by_examples": by_examples,
        "match_by_similarity": {f"{low:.1f}": round(float(r), 3) for low, r in _rates(similarity, y)},
        "match_by_probability": {f"{low:.1f}": round(float(r), 3) for low, r in _rates(p, y)},
    }


def _reuse(p: npt.NDArray[Any], y: npt.NDArray[Any], samples: Sequence[Sample], examples: int) -> dict[str, float]:
    mine = np.array([s.examples == examples for s in samples])
    known = np.array([s.known for s in samples])
    reused = mine & (p > REUSE_ABOVE)
    return {
        "precision": round(float(y[reused].mean()), 3),
        "coverage_of_known": round(float((reused & y).sum() / (mine & known).sum()), 3),
        "unknown_reused": round(float((reused & ~known).sum() / (mine & ~known).sum()), 3),
    }


def _rates(values: npt.NDArray[Any], y: npt.NDArray[Any]) -> Iterable[tuple[float, float]]:
    """Yield the share of matches in each tenth that holds at least 20 samples."""
    for low in np.arange(0, 1, 0.1):
        bin_ = (values >= low) & (values < low + 0.1)
        if bin_.sum() >= 20:
            yield float(low), y[bin_].mean()


def benchmark(corpus: Corpus, *, memories: int = MEMORIES, seed: int = 0) -> dict[str, Any]:
    """Return the prior fitted on all routes, and figures of one that saw only a part of them, on the others."""
    routes = corpus.routes
    random.Random(seed).shuffle(routes)
    cut = round(len(routes) * FITTED_SHARE)
    blind = fitted(sampled(corpus, routes[:cut], memories=memories, seed=seed + 1))
    held_out = sampled(corpus, routes[cut:], memories=memories, seed=seed + 2)
    shipped = fitted(sampled(corpus, routes, memories=memories, seed=seed + 3))
    return {
        "prior": {"intercept": shipped.intercept, **shipped.weights._asdict()},
        "held_out_routes": len(routes) - cut,
        "held_out_samples": len(held_out),
        **measured(blind, held_out),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m evals.benchmarks.prior", description=__doc__)
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--memories", type=int, default=MEMORIES)
    chosen = parser.parse_args(arguments)
    corpus = Corpus.of(read_rows(chosen.memory), read_rows(chosen.queries), chosen.encoder)
    json.dump(benchmark(corpus, memories=chosen.memories), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
