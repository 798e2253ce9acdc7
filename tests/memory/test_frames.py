import pytest

from memory.frames import MAX_WORDS, aligned, filled, frame_of, shown, swaps

BLOG = "Write a blog about AI trends"


def common(first: str, *others: str) -> str | None:
    frame = frame_of(first)
    for goal in others:
        frame = aligned(frame, goal) if frame else None
    return shown(frame) if frame else None


@pytest.mark.parametrize(
    ("goals", "frame"),
    [
        ((BLOG, "Write a blog about wind power."), "write a blog about {topic}"),
        ((BLOG, "write a BLOG post about bees"), "write a blog [detail] about {topic}"),
        ((BLOG, BLOG), "write a blog about ai trends"),
        (("Write a blog about bees for teachers", "Write a blog about the sea for kids"),
         "write a blog about {topic} for {audience}"),
        (("Write a blog about the life of bees", "Write a blog about the fall of Rome"),
         "write a blog about the {detail} of {topic}"),
        (("Write a blog about AI and the law", "Write a blog about bees in the city", "Write a blog about cats"),
         "write a blog about {topic}"),
        (("Sum up the news of March for Ann", "Sum up the news of May for Bob", "Sum up the news of June"),
         "sum up the news of {topic}"),
    ],
    ids=["topic", "optional", "same", "two", "inner", "absorbed", "three"],
)  # fmt: skip
def test_goals_have_a_frame_in_common(goals: tuple[str, ...], frame: str) -> None:
    assert common(*goals) == frame


@pytest.mark.parametrize(
    "other",
    ["Delete a blog about AI trends", "Write to the landlord", "What is the refund policy?", "", "word " * 100],
    ids=["another verb", "one word", "another thing", "empty", "too long"],
)
def test_unlike_goals_have_none(other: str) -> None:
    assert common(BLOG, other) is None


def test_a_long_goal_is_no_pattern() -> None:
    assert frame_of("word " * MAX_WORDS) is not None
    assert frame_of("word " * (MAX_WORDS + 1)) is None


@pytest.mark.parametrize(
    ("goal", "found"),
    [
        ("Write a blog about coral reefs for divers!", {"topic": "coral reefs", "audience": "divers"}),
        ("write A blog about life for rent for students", {"topic": "life", "audience": "rent for students"}),
        ("Write a blog about coral reefs", None),
        ("Write a blog about for divers", None),
        ("Please write a blog about coral for divers", None),
    ],
    ids=["fits", "first place", "a part is missing", "an empty slot", "more before it"],
)
def test_a_goal_fills_the_slots(goal: str, found: dict[str, str] | None) -> None:
    frame = aligned(frame_of("Write a blog about bees for kids") or [], "Write a blog about the sea for teachers")
    assert filled(frame or [], goal) == found


def test_an_optional_slot_may_stay_empty() -> None:
    frame = aligned(frame_of(BLOG) or [], "Write a blog post about bees") or []
    assert filled(frame, BLOG) == {"detail": "", "topic": "AI trends"}
    assert filled(frame, "Write a blog post about bees") == {"detail": "post", "topic": "bees"}


def test_every_example_fits_its_own_frame() -> None:
    goals = ["Compare wind with coal in Iowa since 2001", "Compare hydro with gas in Oregon since 1990"]
    frame = aligned(frame_of(goals[0]) or [], goals[1]) or []
    assert [filled(frame, goal) for goal in goals] == [
        {"detail": "wind", "means": "coal", "place": "Iowa", "start": "2001"},
        {"detail": "hydro", "means": "gas", "place": "Oregon", "start": "1990"},
    ]


def test_words_change_places() -> None:
    frame = aligned(frame_of(BLOG) or [], "Write a blog about bees") or []
    assert swaps(frame, BLOG, "Write a blog about wasps") == {"AI trends": "wasps"}
    assert swaps(frame, BLOG, "Draw a wasp") is None
