"""The rubric that critic and reviser share: five measures of a draft against its goal and the steps' results.

| aspect       | measured by                                                                        |
| ------------ | ---------------------------------------------------------------------------------- |
| relevance    | share of the goal's subject words that the body mentions                           |
| clarity      | sentences of readable length, none said twice                                      |
| completeness | share of the steps with findings that the draft reflects; places left to be filled |
| accuracy     | every figure occurs in the results; sources are named where there are any          |
| structure    | opens with text, headings in proportion to its length                              |

Any other aspect (persuasiveness, brand alignment ...) cannot be judged by rules and gets the mean of these five. A
figure that nothing supports caps the whole score: no amount of good form makes up for it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from agents.rules.figures import prose, support_of
from agents.rules.text import coverage, normalised, numbers, sentences, stems, subject_words
from domain.outcomes import Critique, StepResult

EMPTY = "Write the draft: it has no text."
REMOVE_FIGURES = "Remove or correct figures that no result supports: "
ADD_TOPICS = "Speak about these parts of the goal: "
ADD_FINDINGS = "Add the findings of step "
ADD_SOURCES = "Name the sources of the statements."
REMOVE_REPETITIONS = "Remove repeated sentences."
SHORTEN = "Split sentences of more than 45 words."
ADD_HEADINGS = "Divide the text with headings."
FILL_PLACES = "Fill the places in brackets; the materials do not."

HIGHEST = 0.9
"""Rules see form and figures, not sense: no draft gets more from them."""
UNSUPPORTED_CAP = 0.6
NOTHING_FOUND = 0.4
"""Completeness of a draft to which no step contributed anything."""
_ENOUGH_WORDS = 0.7
"""Share of the goal's words from which a draft is fully relevant: a good answer need not echo every word."""
_LONG = 45
_WORDS_PER_HEADING = 250
_SHORT = 120
"""Words up to which a text needs no headings."""
_PLACE = re.compile(r"(?<!- )\[(?! \])[^\]\n]{12,}\](?!\()")
_CITATION = re.compile(r"\[[\w./ -]+\.\w{2,8}(?:, [^\]]*)?\]|\[\w+\]")
_MEASURED = ("relevance", "clarity", "completeness", "accuracy", "structure")


@dataclass(frozen=True)
class Judgement:
    """A draft before the rubric."""

    text: str
    goal: str
    results: Sequence[StepResult]

    def critique(self, aspects: Sequence[str]) -> Critique:
        """Return the critique over these aspects; its score is their mean."""
        if not self._sentences:
            return Critique(score=0, aspects=dict.fromkeys(aspects, 0.0), issues=self.issues(), degraded=True)
        known = {name: round(HIGHEST * getattr(self, name), 3) for name in _MEASURED}
        general = round(fmean(known.values()), 3)
        scores = {aspect: known.get(aspect, general) for aspect in aspects}
        score = fmean(scores.values()) if scores else general
        if self.unsupported:
            score = min(score, UNSUPPORTED_CAP)
        return Critique(score=round(score, 3), aspects=scores, issues=self.issues(), degraded=True)

    def issues(self) -> list[str]:
        """Return what to change, the gravest first."""
        if not self._sentences:
            return [EMPTY]
        found = []
        if self.unsupported:
            found.append(REMOVE_FIGURES + ", ".join(self.unsupported) + ".")
        found += [f"{ADD_FINDINGS}{result.step!r}." for result in self.unreflected]
        if self._sourced and not self._cites:
            found.append(ADD_SOURCES)
        if self.relevance < 1 and self._unspoken:
            found.append(ADD_TOPICS + ", ".join(self._unspoken) + ".")
        if self.repeated:
            found.append(REMOVE_REPETITIONS)
        if any(len(sentence.split()) > _LONG for sentence in self._own_sentences):
            found.append(SHORTEN)
        if self.structure < 1:
            found.append(ADD_HEADINGS)
        if self._places:
            found.append(FILL_PLACES)
        return found

    @cached_property
    def body(self) -> str:
        """The draft without headings and list of sources: its own words, tables included."""
        return re.sub(r"^#{1,6} .*$", " ", prose(self.text), flags=re.MULTILINE)

    @cached_property
    def relevance(self) -> float:
        """How much of the goal's subject the body mentions."""
        return min(1.0, coverage(subject_words(self.goal), self._spoken) / _ENOUGH_WORDS)

    @cached_property
    def _spoken(self) -> str:
        return f"{self.body} {' '.join(re.findall(r'^## (.*)$', self.text, flags=re.MULTILINE))}"

    @cached_property
    def _unspoken(self) -> list[str]:
        return [word for word in subject_words(self.goal) if coverage([word], self._spoken) == 0]

    @cached_property
    def _sentences(self) -> list[str]:
        return sentences(self.text)

    @cached_property
    def _own_sentences(self) -> list[str]:
        """Sentences of the draft's own making: what is quoted stays as it is."""
        return [sentence for sentence in self._sentences if "“" not in sentence and "”" not in sentence]

    @cached_property
    def repeated(self) -> list[str]:
        """The sentences that stood in the draft before."""
        seen, found = set[str](), list[str]()
        for sentence in self._sentences:
            key = normalised(sentence)
            if key in seen and len(key.split()) > 3:
                found.append(sentence)
            seen.add(key)
        return found

    @cached_property
    def clarity(self) -> float:
        """Penalises long sentences by their share, and repetition."""
        own = self._own_sentences or self._sentences
        long = sum(len(sentence.split()) > _LONG for sentence in own) / len(own)
        return max(0.0, 1 - 0.6 * long - 0.2 * len(self.repeated))

    @cached_property
    def _contributing(self) -> list[StepResult]:
        return [r for r in self.results if r.status == "done" and (r.data.get("rows") or r.sources)]

    @cached_property
    def unreflected(self) -> list[StepResult]:
        """The steps whose findings the draft does not take up."""
        return [result for result in self._contributing if not self._reflects(result)]

    def _reflects(self, result: StepResult) -> bool:
        cells = [cell for row in result.data.get("rows", []) for cell in row if isinstance(cell, int | float)]
        told = set(numbers(self.body))
        if cells and not any(f"{abs(cell):g}" in told or str(abs(cell)) in told for cell in cells):
            return False
        quotes = [source.quote for source in result.sources if source.quote]
        return not quotes or any(coverage(stems(quote), self.body) >= 0.6 for quote in quotes)

    @cached_property
    def _places(self) -> int:
        """How many places in brackets are left to be filled."""
        return sum(not _CITATION.match(place) for place in _PLACE.findall(self.text))

    @cached_property
    def completeness(self) -> float:
        """How many of the steps with findings are reflected, less what is left to be filled."""
        if not self._contributing:
            return NOTHING_FOUND
        reflected = 1 - len(self.unreflected) / len(self._contributing)
        return max(0.0, reflected - 0.1 * min(self._places, 5))

    @cached_property
    def unsupported(self) -> list[str]:
        """The figures that nothing supports."""
        return support_of(self.text, self.goal, self.results).unsupported(self.text)

    @cached_property
    def _sourced(self) -> bool:
        return any(result.sources for result in self.results)

    @cached_property
    def _cites(self) -> bool:
        names = {source.name for result in self.results for source in result.sources}
        return any(name in self.text for name in names)

    @cached_property
    def accuracy(self) -> float:
        """Whether the figures are supported and the sources named; half where there is nothing to hold it against."""
        if not self._sourced:
            return 0.0 if self.unsupported else 0.5
        supported = max(0.0, 0.3 - 0.1 * len(self.unsupported)) if self.unsupported else 0.7
        return supported + 0.3 * self._cites

    @cached_property
    def structure(self) -> float:
        """How well headings divide the text."""
        words = len(self.body.split())
        headings = len(re.findall(r"^#{1,6} \S", self.text, flags=re.MULTILINE))
        if words <= _SHORT:
            return 1.0
        return min(1.0, 0.4 + 0.6 * headings / max(1.0, words / _WORDS_PER_HEADING))
