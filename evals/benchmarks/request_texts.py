"""Requests as people word them, any number of them, all different: five teams, some hundred routes.

A request is a wording of a kind of task with its subject, a place, what else is wanted and a circumstance. What else is
wanted adds agents to the kind's own, so the route follows the words. Numbers name requests: the same seed and number
give the same request, whatever was asked for before.
"""

import math
import random
from typing import NamedTuple


class Request(NamedTuple):
    """One request and who does it."""

    team: str
    goal: str
    sequence: tuple[str, ...]


class _Kind(NamedTuple):
    team: str
    sequence: tuple[str, ...]
    wordings: tuple[str, ...]


def _kind(team: str, agents: str, *wordings: str) -> _Kind:
    return _Kind(team, tuple(agents.split()), wordings)


_KINDS = (
    _kind("marketing", "writer", "Write a blog about {} in {}", "Draft a blog post on {} for readers in {}"),
    _kind("marketing", "writer designer", "Create a flyer for {} in {}", "Design a leaflet that sells {} to {}"),
    _kind("marketing", "strategist writer", "Plan a campaign about {} for {}", "Set up a campaign on {} around {}"),
    _kind("marketing", "social", "Post something on {} to our followers in {}", "Tweet about {} from {}"),
    _kind("marketing", "mailer", "Send a newsletter about {} to customers in {}", "Write a mailing on {} for {}"),
    _kind("marketing", "researcher strategist", "Who competes with us on {} in {}?", "Map the rivals in {} around {}"),
    _kind("marketing", "video", "Script a short video about {} shot in {}", "Storyboard a clip on {} from {}"),
    _kind("marketing", "seo writer", "Find search terms for {} in {}", "Improve how our page on {} ranks in {}"),
    _kind("documents", "search", "What do our documents say about {} in {}?", "Find every note on {} from {}"),
    _kind("documents", "search summarise", "Summarise the reports on {} in {}", "Give me the gist of {} in {}"),
    _kind("documents", "analyse", "How did {} change in {} over ten years?", "Compute the trend of {} in {}"),
    _kind("documents", "search analyse", "Compare {} with last year in {}", "Is {} better than expected in {}?"),
    _kind("documents", "extract", "Pull the figures on {} out of the {} files", "List all numbers about {} in {}"),
    _kind("documents", "search cite", "Which source first mentions {} in {}?", "Quote what was decided on {} in {}"),
    _kind("documents", "classify", "Sort the letters on {} from {} by urgency", "Label the files on {} from {}"),
    _kind("documents", "analyse chart", "Plot {} by month for {}", "Draw a chart of {} across {}"),
    _kind("home", "lights", "Turn the lights for {} on when I leave {}", "Dim the lamps during {} as in {}"),
    _kind("home", "climate", "Keep the room cool for {} like in {}", "Warm the house before {} when it snows in {}"),
    _kind("home", "kitchen", "Cook something with {} the way they do in {}", "Suggest dinner around {} from {}"),
    _kind("home", "shopping", "Order {} from the shop in {}", "Put {} from {} on the shopping list"),
    _kind("home", "calendar", "Remind me of {} before the trip to {}", "Book an hour for {} with the {} family"),
    _kind("home", "security", "Watch the door while {} is delivered from {}", "Lock up after {} if I am in {}"),
    _kind("home", "cleaning", "Vacuum after {} before guests from {} come", "Wash what {} left from {}"),
    _kind("home", "garden", "Water the {} bed as dry as {}", "Plant {} that grows in {}"),
    _kind("audio", "transcribe", "Transcribe the talk about {} held in {}", "Type up the {} interview from {}"),
    _kind("audio", "mix", "Mix the {} track we recorded in {}", "Balance the {} session from {}"),
    _kind("audio", "clean", "Remove the noise from the {} tape made in {}", "Repair the {} recording from {}"),
    _kind("audio", "speak", "Read the text on {} aloud with a {} accent", "Voice the {} story for {}"),
    _kind("audio", "compose", "Compose a tune that sounds of {} and {}", "Make background music on {} for {}"),
    _kind("audio", "cut", "Cut the {} podcast from {} to ten minutes", "Trim the {} episode taped in {}"),
    _kind("audio", "identify", "Which song about {} was a hit in {}?", "Name the {} sample from {}"),
    _kind("audio", "master", "Master the {} album for the {} market", "Bring the {} record from {} to level"),
    _kind("operations", "monitor", "Why is the {} service slow in {}?", "Check the {} servers in {}"),
    _kind("operations", "deploy", "Roll out the {} release to {}", "Deploy the new {} build in {}"),
    _kind("operations", "support", "Answer the complaint about {} from {}", "Refund the {} order to {}"),
    _kind("operations", "billing", "Invoice {} to the client in {}", "Why was {} charged twice in {}?"),
    _kind("operations", "planner", "Staff the {} shift in {}", "Schedule the {} crew for {}"),
    _kind("operations", "logistics", "Ship {} to {} by sea", "Where is the {} parcel for {}?"),
    _kind("operations", "auditor", "Audit {} spending in {}", "Check {} in {} against the rules"),
    _kind("operations", "hiring", "Find someone for {} in {}", "Screen the {} applicants from {}"),
)
_WANTED = (
    ("", ()),
    (", with sources", ("fact_checker",)),
    (", and get it approved first", ("approver",)),
    (", also in Spanish", ("translator",)),
    (", and tell the team when done", ("notifier",)),
)  # fmt: skip
_SUBJECTS = (
    "bees", "coal", "wind power", "exports", "wages", "rainfall", "housing", "ferries", "libraries", "wheat",
    "tourism", "bread", "cheese", "coffee", "tea", "bicycles", "trams", "bridges", "museums", "schools", "nurses",
    "vaccines", "forests", "rivers", "salmon", "sheep", "wool", "cotton", "steel", "copper", "lithium", "batteries",
    "solar panels", "heat pumps", "insulation", "concrete", "timber", "furniture", "carpets", "mirrors", "clocks",
    "cameras", "lenses", "printers", "tablets", "phones", "games", "puzzles", "chess", "tennis", "rowing", "sailing",
    "skiing", "hiking", "camping", "maps", "passports", "insurance", "pensions", "mortgages", "savings", "taxes",
    "budgets", "auctions", "antiques", "paintings", "pottery", "jazz", "opera", "choirs", "guitars", "drums", "radio",
    "podcasts", "cinema", "theatre", "dance", "yoga", "sleep", "diets", "spices", "honey", "olives", "wine", "beer",
    "cider", "chocolate", "ice cream", "noodles", "soup", "potatoes", "tomatoes", "apples", "cherries", "roses",
    "tulips", "orchids", "lawns", "compost", "owls", "foxes", "horses", "dogs", "cats", "parrots", "whales", "coral",
    "glaciers", "volcanoes", "earthquakes", "storms", "droughts", "satellites", "rockets", "robots", "chips",
    "passwords", "backups", "robbery", "traffic", "parking", "recycling", "sewage", "water meters", "street lights",
    "elections",
)  # fmt: skip
_PLACES = (
    "Oslo", "Rome", "Lima", "Cairo", "Paris", "Tokyo", "Delhi", "Quito", "Berlin", "Madrid", "Lisbon", "Vienna",
    "Prague", "Warsaw", "Athens", "Dublin", "Bergen", "Malmo", "Tampere", "Riga", "Vilnius", "Zagreb", "Sofia",
    "Bucharest", "Ankara", "Tbilisi", "Baku", "Almaty", "Hanoi", "Manila", "Jakarta", "Perth", "Sydney", "Suva",
    "Auckland", "Nairobi", "Lagos", "Accra", "Dakar", "Tunis", "Rabat", "Durban", "Toronto", "Boston", "Denver",
    "Austin", "Iowa", "Texas", "Havana", "Bogota", "Santiago", "Rosario", "Recife", "La Paz", "Caracas", "Panama",
    "Kyoto", "Busan", "Taipei", "Chennai",
)  # fmt: skip
_CIRCUMSTANCES = (
    "", " by Friday", " for the board", " for beginners", " in plain words", " before noon", " as short as you can",
    " for next week's meeting", " like last time", " please", " on a small budget", " for the new colleague", " today",
    " in two versions", " without jargon", " if there is time", " for the spring issue", " once more", " in detail",
    " for the annual review", " before the holidays", " at once", " for our partners", " as a test",
)  # fmt: skip
_WORDINGS = tuple((kind, wording) for kind in _KINDS for wording in kind.wordings)
_PARTS = (len(_WORDINGS), len(_WANTED), len(_SUBJECTS), len(_PLACES), len(_CIRCUMSTANCES))
COUNT = math.prod(_PARTS)
"""So many requests are different."""
ROUTES = len({(kind.team, *kind.sequence, *more) for kind in _KINDS for _, more in _WANTED})
TEAMS = tuple(sorted({kind.team for kind in _KINDS}))


class Requests:
    """The requests of one seed, by number from 0 to `COUNT` - 1, in an order that looks random."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self._start = rng.randrange(COUNT)
        self._step = next(step for step in iter(lambda: rng.randrange(COUNT), -1) if math.gcd(step, COUNT) == 1)

    def __getitem__(self, number: int) -> Request:
        """Return a request."""
        rest, places = (self._start + number * self._step) % COUNT, []
        for size in _PARTS:
            rest, place = divmod(rest, size)
            places.append(place)
        (kind, wording), (wanted, more) = _WORDINGS[places[0]], _WANTED[places[1]]
        text = wording.format(_SUBJECTS[places[2]], _PLACES[places[3]])
        end = "?" if text.endswith("?") else ""
        goal = text.removesuffix("?") + _CIRCUMSTANCES[places[4]] + wanted + end
        return Request(kind.team, goal, kind.sequence + more)
