"""What kind of request a goal is, by its words.

| kind         | decided by                                                                       |
| ------------ | -------------------------------------------------------------------------------- |
| conversation | the whole goal is a greeting, thanks, or a question about the team itself        |
| action       | begins with an order to act: send, publish, save, set, update, remind ...        |
| summary      | begins with summarise; or asks for a summary, an overview, the main points       |
| comparison   | compare, versus, difference between, better than, pros and cons ...              |
| creation     | begins with write, create, draft, translate ... or names a piece to be made      |
| analysis     | asks for a number, a ranking, a forecast, a change, a share or a trend           |
| search       | everything else                                                                  |

The first row that fits counts. Orders are read at the beginning only, so that "How did ... change? Write a brief." is
an analysis whose form is a brief, and "Write a brief on how ... changed" is a creation.
"""

import re

from domain.plans import QueryKind

_POLITE = r"^(?:please\s+|can you\s+|could you\s+|i (?:want|need)(?: you)? to\s+|let'?s\s+|help me(?: to)?\s+)*"

_CONVERSATION = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day|night))(?: there| team| all)?"
    r"|(?:ok(?:ay)?[,. ]+)?(?:thanks?|thank you|thx|cheers)(?: (?:you|a lot|so much|very much|for .{0,40}|team))?"
    r"|bye|goodbye|see you(?: later)?|(?:great|nice|good|well done|perfect|cool|awesome|ok(?:ay)?)(?: (?:job|work))?"
    r"|(?:hi|hello|hey)?[,! ]*(?:who are you|what are you|are you (?:an? )?(?:ai|bot|human|model|llm)"
    r"|what can (?:you|this team|the team) do(?: for me)?|how can you help(?: me)?|how are you(?: doing)?"
    r"|what do you do|how do(?:es)? (?:you|this) work|help)"
    r")\W*$",
    re.IGNORECASE,
)

_QUANTITY = (
    r"\bhow (?:many|much|did|has|have|fast|often|large|big)\b|\b(?:total|sum|average|mean|median|percent\w*|share of)\b"
    r"|\b(?:highest|lowest|largest|smallest|biggest|most|least|fewest|maximum|minimum|peak\w*|top \d+|bottom \d+)\b"
    r"|\b(?:trends? (?:of|in|for)|growth|grew|grown|rose|risen|fell|fallen|increas\w+|decreas\w+|declin\w+|chang\w+)\b"
    r"|\brank(?:s|ed|ing)?\b|\bforecast\w*|\b(?:plot|chart|visuali[sz]e)\b"
    r"|\bcorrelat\w+|\banaly[sz]\w*|\bfigures\b|\bstatistic\w*|\bwhich (?:year|month|day|quarter)\b|\bsince \d{4}\b"
)
_CREATE = (
    r"(?:write|create|draft|compose|translate|transcribe|prepare|produce|generate|make|design|develop|plan|brainstorm|rewrite|craft|build"
    r"|launch)\b"
)
_PIECE = r"\b(?:blog|post|article|newsletter|campaign|slogan|tagline|advert\w*|press release|landing page|ad copy)\b"

_PATTERNS: tuple[tuple[QueryKind, str], ...] = (
    ("action", _POLITE + r"(?:send|publish|schedule|email|e-mail|upload|delete|remove|save|export|deploy|book|turn"
                         r"|switch|start|stop|post (?!about)|file|store|move|rename|set|dim|lock|unlock|play|pause"
                         r"|notify|remind|invite|cancel|order|pay|update (?!me\b)|add (?!up\b)|reply to|forward)\b"),
    ("summary", _POLITE + r"(?:summari[sz]e|sum up|condense|recap|give (?:me )?an? (?:summary|overview))\b"),
    ("comparison", _POLITE + r"(?:compare|contrast)\b"),
    ("creation", _POLITE + _CREATE),
    ("comparison", r"\b(?:better|worse|cheaper|faster|safer|more \w+|less \w+) than\b|\bpros and cons\b"
                   r"|\bwhich of the (?:two|three|four|\w+s)\b"
                   r"|\bcompar\w+|\bversus\b|\bvs\.?(?=\s)|\bdifferences? between\b|\bdiffers? from\b"),
    ("analysis", _QUANTITY),
    ("summary", r"\b(?:summar\w+|overview|main points|key points|(?:main|key) findings|key takeaways|gist|tl;?dr)\b"),
    ("creation", _PIECE + r"|\b" + _CREATE),
)  # fmt: skip
_RULES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


def is_conversation(goal: str) -> bool:
    """Tell whether a goal is small talk or a question about the team rather than work."""
    return bool(_CONVERSATION.match(goal.strip()))


def classify(goal: str) -> QueryKind:
    """Return the kind of a goal; see the table of this module."""
    if is_conversation(goal):
        return "conversation"
    return next((kind for kind, pattern in _RULES if pattern.search(goal.strip())), "search")
