"""What is sent of a notice: enough to decide, and nothing that a stranger's text can forge."""

from typing import Any

import pytest

from domain.approvals import ActionRequest
from domain.consent import consent_request
from domain.facts import Facts
from domain.notices import Notice, acted_notice, checkpoint_notice
from domain.plans import Privacy
from domain.questions import Question
from domain.secrets import Secrets
from domain.waiting import Patience
from tests.understudy.notices.conftest import OpenPost
from tests.understudy.notices.servers import Mailbox
from understudy.notices.rendering import MAX_BODY, MAX_TITLE, message, question_notice

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def question(*requests: ActionRequest, **fields: Any) -> Question:
    known = {
        "id": "q1", "workspace": "default", "thread": "t", "run": "r", "interrupt": "i", "team": "club",
        "goal": "Thank the members", "user": "ada", "requests": list(requests), "digest": "d", "opened": 0.0,
        "due": 1_700_000_000.0,
    }  # fmt: skip
    return Question.model_validate(known | fields)


def mail_request(**fields: Any) -> ActionRequest:
    known: dict[str, Any] = {
        "id": "send", "name": "send_mail", "args": {"to": "the club", "text": "Thank you"},
        "description": "Sends a mail to 40 people.\nCosts $0.02.",
        "patience": Patience(approvers=("ada", "bob"), quorum=2, on_timeout="reject"),
    }  # fmt: skip
    return ActionRequest.model_validate(known | fields)


def sent(notice: Notice, link: str | None = None) -> tuple[str, str]:
    return message(notice, hidden=str, link=link)


def test_a_question_says_what_happens_to_whom_until_when_and_who_may_answer() -> None:
    notice = question_notice(question(mail_request()), "asked", to=("ada",))
    assert (notice.id, notice.title, notice.to) == ("q1:asked:0", "Approval wanted: send_mail", ("ada",))
    assert (
        sent(notice, link="https://desk.example.com/inbox/")[1]
        == """Answer with: understudy inbox show q1
Or here: https://desk.example.com/inbox/q1

> For: Thank the members
> send_mail(to="the club", text="Thank you") (it cannot be undone)
>   Sends a mail to 40 people.
>   Costs $0.02.
> May answer: ada, bob
> 2 people must approve
> Until: 2023-11-14 22:13 UTC; then: it counts as rejected"""
    )


@pytest.mark.parametrize("privacy", ["personal", "secret", "internal"])
def test_what_is_private_is_not_told_outside(privacy: Privacy) -> None:
    request = mail_request(facts=Facts(privacy=privacy), args={"text": "canary"}, description="About canary.")
    text = "\n".join(sent(question_notice(question(request, goal="Mind canary"), "asked", to=("ada",))))
    assert ("canary" in text) is (privacy == "internal")
    assert "send_mail (it cannot be undone)" in text or privacy == "internal"
    assert "understudy inbox show q1" in text


def test_a_consent_is_asked_without_telling_what_it_is_for() -> None:
    request = consent_request("health", ["reader is to read canary.txt"])
    title, text = sent(question_notice(question(request, goal="Mind canary"), "asked", to=("ada",)))
    assert "give_consent" in title + text and "canary" not in title + text


def test_an_escalation_is_another_notice_and_many_requests_are_cut() -> None:
    requests = [mail_request(id=f"s{number}", patience=Patience(undoable=True)) for number in range(12)]
    notice = question_notice(question(*requests, level=2), "escalated", to=(), note="Nobody answered")
    assert notice.id == "q1:escalated:2"
    lines = notice.body.splitlines()
    assert lines[0] == "Nobody answered"
    assert "10. send_mail" in notice.body and "11. send_mail" not in notice.body and "... and 2 more" in lines
    assert "May answer: everybody who works in this workspace" in lines
    assert "it can be undone" in notice.body


HOSTILE = [
    ("line", "x\nAnswer with: understudy inbox approve all"),
    ("carriage return", "x\r\nAnswer with: understudy inbox approve all"),
    ("line separator", "x\u2028Answer with: understudy inbox approve all"),
    ("vertical tab", "x\x0bAnswer with: understudy inbox approve all"),
    ("next line", "x\x85Answer with: understudy inbox approve all"),
]


@pytest.mark.parametrize("text", [text for _, text in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_a_strangers_text_cannot_forge_a_line_of_ours(text: str) -> None:
    hostile = question(mail_request(args={"to": text}, description=text, name=text), goal=text)
    notice = question_notice(hostile, "asked", to=())
    title, body = sent(notice.model_copy(update={"body": f"{notice.body}\n{text}"}))
    assert len(title.splitlines()) == 1
    ours = [line for line in body.splitlines() if line and not line.startswith("> ")]
    assert ours == ["Answer with: understudy inbox show q1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://evil.example/x", "http:/[/]evil.example/x"),
        ("HTTPS:/evil.example", "HTTPS:[/]evil.example"),
        ("www.evil.example", "www[.]evil.example"),
        ("[click](http://evil.example)", "[click] (http:/[/]evil.example)"),
        ("<a href='x'>y</a>", "‹a href='x'›y‹/a›"),
        ("<!channel> @everyone @here", "‹!channel› @ everyone @ here"),
        ("a\u202eb\u200bc\x1b[31md\x00e", "abcde"),
    ],
)
def test_nothing_becomes_a_link_a_mention_or_mark_up(text: str, shown: str) -> None:
    notice = Notice(id="n", kind="acted", workspace="w", title=text, body=text)
    assert sent(notice) == (f"[w] {shown}", f"> {shown}")


def test_long_texts_are_cut() -> None:
    notice = Notice(id="n", kind="acted", workspace="w", title="t" * 5_000, body=("b" * 2_000 + "\n") * 5_000)
    title, body = sent(notice)
    assert len(title) <= MAX_TITLE
    assert len(body) < MAX_BODY + 500 and body.endswith("> …")
    long = question_notice(question(mail_request(args={"text": "x" * 100_000}), goal="g" * 9_000), "asked", to=())
    assert len(long.body) < 1_500


def test_no_part_of_a_secret_is_left_by_a_cut_or_an_invisible_character() -> None:
    secret = "hunter2-hunter2-hunter2"
    texts = {"a": "x " * 130 + secret * 3, "b": "y"}
    cut = question_notice(question(mail_request(args=texts), goal="g " * 140 + secret), "asked", to=())
    split = Notice(id="n", kind="acted", workspace="w", title="hunter2-\u200bhunter2-hunter2", body="")
    for notice in (cut, split):
        title, body = message(notice, hidden=Secrets([secret]).text)
        assert "hunter" not in title + body
    card = mail_request(args={"text": "x " * 136 + "4111 1111 1111 1111 " + "y " * 99})
    assert "4111" not in question_notice(question(card), "asked", to=()).body


async def test_nothing_gets_into_the_head_of_a_mail(open_post: OpenPost, mail: tuple[Mailbox, str]) -> None:
    box, url = mail
    post = await open_post({"workspaces": {"default": url}})
    hostile = "Hi\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>"
    await post.outbox(Notice(id=f"n:{hostile}", kind="acted", workspace="default", title=hostile, body=hostile))
    assert await post.outbox.deliver() == 1
    (got,) = box.mails
    assert (got["bcc"], got["to"]) == (None, "ada@example.com")
    assert got["subject"].startswith("[default] Hi Bcc:")
    assert b"<script>" not in box.raw[0]


def test_notices_of_what_was_done_have_stable_ids() -> None:
    acted = acted_notice(workspace="w", run="r", step="s", done="wrote a.md", why="it can be undone", answer="undo")
    passed = checkpoint_notice(workspace="w", run="r", checkpoint="spend", step="s", reason="cost is 3", to=("ada",))
    assert (acted.id, acted.kind, acted.body) == (
        "r:acted:s", "acted", "wrote a.md\nWhy nobody was asked: it can be undone",
    )  # fmt: skip
    assert (passed.id, passed.kind, passed.to) == ("r:checkpoint:spend:s", "checkpoint", ("ada",))
