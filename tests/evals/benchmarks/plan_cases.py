"""Synthetic requests with their plans: two to five asks over thirty tools, in many words, with things beside the point.

Nothing is learnt or tuned from these: they only let tests and a first look at the figures run without a data set.
"""

import random
from itertools import pairwise
from typing import Any

ASKS: dict[str, tuple[str, ...]] = {
    "web_search": ("search the web for {x}", "look up {x} online", "find pages about {x}"),
    "fetch_page": ("open the page on {x}", "download the article about {x}", "get the site of {x}"),
    "ocr": ("read the text in the scan of {x}", "turn the photo of {x} into text", "run text recognition on {x}"),
    "transcribe": ("note what is said about {x}", "transcribe the recording of {x}", "put the speech on {x} down"),
    "translate": ("translate it into {l}", "put it into {l}", "make a {l} version"),
    "summarise": ("sum it up", "give me the gist", "shorten it to a few lines"),
    "keywords": ("pull out the key terms", "list its keywords", "which terms matter most in it"),
    "sentiment": ("tell whether the tone is friendly", "judge the mood of it", "is it positive or negative"),
    "entities": ("list the people and places in it", "extract the names it mentions", "who and where is in there"),
    "classify": ("sort it into a topic", "say which category it belongs to", "label its subject"),
    "proofread": ("mend the spelling", "fix the grammar", "correct the mistakes in it"),
    "paraphrase": ("say it in other words", "reword it", "rewrite it more simply"),
    "speak": ("read it aloud", "turn it into speech", "make an audio of it"),
    "caption": ("describe the picture of {x}", "say what the image of {x} shows", "caption the photo of {x}"),
    "detect": ("find the objects in the photo of {x}", "mark the things seen in {x}", "box the things in {x}"),
    "draw": ("draw a picture of it", "make an image from it", "paint what it says"),
    "upscale": ("sharpen the picture", "make the image larger", "raise its resolution"),
    "crop": ("cut out the middle of the picture", "trim the image", "crop it to a square"),
    "load_table": ("load the table of {x}", "open the spreadsheet on {x}", "read the csv about {x}"),
    "filter_rows": ("keep only the rows of this year", "drop the rows without a value", "filter it by region"),
    "aggregate": ("add it up by month", "total it for each group", "average it per region"),
    "join_tables": ("combine it with the other table", "join it with the customer list", "merge both tables"),
    "chart": ("plot it", "draw a chart of it", "show it as a graph"),
    "forecast": ("predict the next quarter", "forecast how it goes on", "extend the trend"),
    "outliers": ("find the odd values", "flag what is unusual", "spot outliers"),
    "write_report": ("write a report", "draft a memo on it", "make a document of it"),
    "email": ("mail it to {p}", "send {p} an e-mail with it", "let {p} have it by mail"),
    "calendar": ("put a meeting with {p} in the calendar", "book a slot with {p}", "schedule a call with {p}"),
    "weather": ("check the weather in {c}", "what is the forecast for {c}", "will it rain in {c}"),
    "route": ("plan the way to {c}", "find the quickest route to {c}", "how do I get to {c}"),
}  # fmt: skip
STARTS = ("web_search", "fetch_page", "ocr", "transcribe", "caption", "detect", "load_table", "weather", "route")
NEXT: dict[str, tuple[str, ...]] = {
    "web_search": ("fetch_page", "summarise", "keywords", "entities"),
    "fetch_page": ("summarise", "translate", "keywords", "sentiment", "entities", "classify"),
    "ocr": ("translate", "proofread", "summarise", "entities"),
    "transcribe": ("translate", "summarise", "sentiment", "proofread", "keywords"),
    "caption": ("translate", "speak", "paraphrase", "draw"),
    "detect": ("crop", "upscale"),
    "load_table": ("filter_rows", "aggregate", "join_tables", "outliers"),
    "weather": ("calendar", "email"),
    "route": ("calendar", "email"),
    "filter_rows": ("aggregate", "chart", "outliers"),
    "aggregate": ("chart", "forecast", "write_report"),
    "join_tables": ("filter_rows", "aggregate"),
    "forecast": ("chart", "write_report"),
    "outliers": ("chart", "write_report"),
    "chart": ("write_report", "email"),
    "translate": ("speak", "proofread", "email", "summarise"),
    "summarise": ("translate", "speak", "email", "write_report"),
    "keywords": ("classify", "write_report"),
    "entities": ("write_report",),
    "sentiment": ("write_report", "email"),
    "classify": ("email",),
    "proofread": ("paraphrase", "email", "write_report"),
    "paraphrase": ("speak", "email"),
    "draw": ("upscale",),
    "crop": ("upscale",),
    "write_report": ("email",),
}
FILLS = {
    "x": ("solar power", "the harbour", "tea", "old trams", "bees", "the budget", "our shop", "wool", "rents"),
    "l": ("french", "german", "hindi", "welsh"),
    "p": ("ann", "the board", "mr li", "our team", "olga"),
    "c": ("oslo", "lima", "leeds", "pune", "the coast"),
}  # fmt: skip
THENS = ("then", "and then", "after that", "next", "with the result")
ALSOS = ("and separately", "apart from that", "besides", "independently of this")
ASIDES = (
    "i mailed about this before", "no need to draw anything", "the chart of last year was fine", "it is for my boss",
    "the weather was bad when i wrote this", "take your time", "last time the translation was poor", "thanks",
)  # fmt: skip
UNSAID, SLIPS = 0.3, 0.15
"""Shares of requests that leave an ask in the middle to be understood, and of plans that wait where they need not."""
OPENINGS = ("please", "can you", "i would like you to", "first", "hello,", "")


def cases(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Return rows of goal, tools and plan; some of the combinations of asks come again and again."""
    chance = random.Random(seed)
    usual = [_combination(chance) for _ in range(max(1, count // 8))]
    rows = []
    for _ in range(count):
        known = chance.random() < 0.6
        rows.append(_case(chance.choice(usual) if known else _combination(chance), chance))
    return rows


Combination = list[list[str]]
"""Chains of tools that have nothing to do with each other."""


def _combination(chance: random.Random) -> Combination:
    asks = chance.randint(2, 5)
    first = _chain(chance, asks)
    second = _chain(chance, asks - len(first)) if len(first) < asks and chance.random() < 0.6 else []
    return [first, second] if second and not set(first) & set(second) else [first]


def _chain(chance: random.Random, most: int) -> list[str]:
    chain = [chance.choice(STARTS)]
    while len(chain) < most and (ways := [t for t in NEXT.get(chain[-1], ()) if t not in chain]):
        chain.append(chance.choice(ways))
        if len(chain) > 1 and chance.random() < 0.2:
            break
    return chain


def _case(chains: Combination, chance: random.Random) -> dict[str, Any]:
    parts = [f" {chance.choice(THENS)} ".join(_spoken(chain, chance)) for chain in chains]
    goal = f"{chance.choice(OPENINGS)} {f', {chance.choice(ALSOS)} '.join(parts)}".strip()
    if chance.random() < 0.4:
        goal += f"; {chance.choice(ASIDES)}"
    tools = [tool for chain in chains for tool in chain]
    edges = [list(pair) for chain in chains for pair in pairwise(chain)]
    if len(chains) > 1 and chance.random() < SLIPS:
        edges.append([chains[0][-1], chains[1][0]])
    return {"goal": goal, "tools": sorted(ASKS), "plan": {"steps": tools, "edges": edges}}


def _spoken(chain: list[str], chance: random.Random) -> list[str]:
    """Return the asks of a chain; one in the middle may go without saying."""
    silent = chance.choice(chain[1:-1]) if len(chain) > 2 and chance.random() < UNSAID else None
    return [_ask(tool, chance) for tool in chain if tool != silent]


def _ask(tool: str, chance: random.Random) -> str:
    return chance.choice(ASKS[tool]).format(**{name: chance.choice(words) for name, words in FILLS.items()})
