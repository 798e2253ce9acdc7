from pathlib import Path
from typing import get_args

import pytest

from agents.delegation.policy_names import PolicyName
from agents.delegation.selector import POLICIES
from agents.team_files import MAX_BYTES, check_team_file, load_team, team_names
from agents.team_references import TOOL_EFFECTS
from agents.tools.notes import note_tools
from agents.tools.workbench import Workbench
from domain.errors import InvalidTeamFile, UnknownTeam
from memory.scopes import ScopedState, Where
from memory.sqlite import SqliteRecords

HEAD = 'name = "t"\ndescription = "d"\n'
ONE = HEAD + '[[specialists]]\nname = "one"\ndescription = "d"\n'  # lines 1 to 5
TEMPLATE = ONE + '[[templates]]\nname = "p"\nkinds = ["search"]\n'  # lines 1 to 8


def checked(tmp_path: Path, content: str | bytes) -> list[str]:
    path = tmp_path / "team.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [str(mistake) for mistake in check_team_file(path)]


KEYS_AND_TYPES = {
    "unknown key": (ONE + 'promt = "p"', "line 6: unknown key 'promt' in specialist 'one' — did you mean 'prompt'?"),
    "unknown key of the team": (
        "qualty = 1\n" + ONE,
        "line 1: unknown key 'qualty' in the team — did you mean 'quality'?",
    ),
    "unknown key of a nested table": (
        ONE + '[[checkpoints]]\nname = "c"\ncondition = "ON_EFFECT"\nauto_approve_if.quality_over = 1',
        "line 9: unknown key 'quality_over' in checkpoint 'c' — did you mean 'quality_above'?",
    ),
    "unknown key like none": (
        ONE + "[quality]\nzzz = 1",
        "line 7: unknown key 'zzz' in quality; there is min_quality_score, max_iterations, improvement_threshold, "
        "critique_aspects, store_failures",
    ),
    "unknown key of the weights": (
        ONE + "[planning]\nweights = { speed = 1 }",
        "line 7: unknown key 'speed' in planning; there is quality, latency, cost, privacy",
    ),
    "unknown strategy": (
        ONE + '[planning]\nstrategy = "adaptiv"',
        "line 7: planning: 'adaptiv' is not a value of 'strategy' — did you mean 'adaptive'?",
    ),
    "missing key": (HEAD + '[[specialists]]\nname = "one"', "line 3: specialist 'one' has no 'description'"),
    "missing name": (HEAD + '[[specialists]]\ndescription = "d"', "line 3: specialist number 1 has no 'name'"),
    "missing section": (HEAD, "line 1: the team has no 'specialists'"),
    "wrong type": (ONE + "tools = 3", "line 6: specialist 'one': 'tools' must be an array, not 3"),
    "wrong type in an array": (ONE + "tools = [\n3]", "line 7: specialist 'one': 'tools' must be text, not 3"),
    "one table for many": (
        HEAD + '[specialists]\nname = "one"',
        "line 3: 'specialists' holds several tables: write [[specialists]]",
    ),
    "number out of bounds": (
        ONE + "[quality]\nmin_quality_score = 3",
        "line 7: quality: 'min_quality_score' is 3; input should be less than or equal to 1",
    ),
    "unknown condition": (
        ONE + '[[checkpoints]]\nname = "c"\ncondition = "ON_EFECT"',
        "line 8: checkpoint 'c': 'ON_EFECT' is not a value of 'condition' — did you mean 'ON_EFFECT'?",
    ),
    "unusable name": (
        HEAD + '[[specialists]]\nname = "No One"\ndescription = "d"',
        "line 4: specialist 'No One': 'name' is 'No One'; use a-z, 0-9 and _, a letter first, at most 40",
    ),
}

NAMES = {
    "unknown tool": (
        ONE + 'tools = [\n  "serch_documents",\n]',
        "line 7: specialist 'one' has unknown tool 'serch_documents' — did you mean 'search_documents'?",
    ),
    "specialist twice": (
        ONE + '[[specialists]]\nname = "one"\ndescription = "d"',
        "line 7: specialist 'one' is already there in line 4",
    ),
    "unknown tool that goals call for": (
        ONE + '[autonomy]\ncalled_for = [\n  "write_fiel",\n]',
        "line 8: 'autonomy.called_for' has the unknown tool 'write_fiel' — did you mean 'write_file'?",
    ),
    "unknown fallback": (
        ONE + 'fallback = "on"',
        "line 6: specialist 'one' falls back on unknown 'on' — did you mean 'one'?",
    ),
    "fallback on oneself": (ONE + 'fallback = "one"', "line 6: fallbacks go in a circle: one → one"),
    "fallbacks in a circle": (
        ONE + 'fallback = "two"\n[[specialists]]\nname = "two"\ndescription = "d"\nfallback = "one"',
        "line 6: fallbacks go in a circle: one → two → one",
    ),
    "unknown stage": (
        ONE + '[[checkpoints]]\nname = "c"\ncondition = "AFTER_STAGE"\nstage = "resul"',
        "line 9: checkpoint 'c' has unknown stage 'resul' — did you mean 'result'?",
    ),
    "no stage": (
        ONE + '[[checkpoints]]\nname = "c"\ncondition = "AFTER_STAGE"',
        "line 6: checkpoint 'c': it stands AFTER_STAGE and has no 'stage'",
    ),
    "a stage that is never looked at": (
        ONE + '[[checkpoints]]\nname = "c"\ncondition = "ON_EFFECT"\nstage = "one"',
        "line 9: checkpoint 'c': it stands ON_EFFECT, which takes no 'stage'",
    ),
}

CHOICE = {
    "unknown alternative": (
        ONE + 'alternatives = ["tow"]\n[[specialists]]\nname = "two"\ndescription = "d"',
        "line 6: specialist 'one' has unknown alternative 'tow' — did you mean 'two'?",
    ),
    "alternative that lacks a tool": (
        ONE + 'tools = ["calculate"]\nalternatives = ["two"]\n[[specialists]]\nname = "two"\ndescription = "d"',
        "line 7: specialist 'one': 'two' is no alternative: 'two' lacks 'calculate', which 'one' may use",
    ),
    "alternative with a checkpoint": (
        ONE + 'alternatives = ["two"]\n[[specialists]]\nname = "two"\ndescription = "d"\n'
        '[[checkpoints]]\nname = "c"\ncondition = "AFTER_STAGE"\nstage = "two"',
        "line 6: specialist 'one': 'two' is no alternative: a checkpoint stands at 'two', which its steps for 'one' "
        "would not pass",
    ),
    "unknown policy": (
        ONE + '[selection]\npolicy = "gredy"',
        "line 7: selection: 'gredy' is not a value of 'policy' — did you mean 'greedy'?",
    ),
    "unknown route": (
        ONE + '[selection.routes]\nsearch = "on"',
        "line 7: selection: 'search' goes to unknown 'on' — did you mean 'one'?",
    ),
    "unknown transformer": (
        ONE + '[[transformers]]\nfrom = "one"\nto = "*"\nuse = ["trimm"]',
        "line 9: transformer number 1: 'trimm' is not a value of 'use' — did you mean 'trim'?",
    ),
    "transformer of nobody": (
        ONE + '[[transformers]]\nfrom = "on"\nto = "*"\nuse = []',
        "line 7: transformer number 1: 'from' is unknown 'on' — did you mean 'one'?",
    ),
    "unknown key of a transformer": (
        ONE + '[[transformers]]\nfrom = "one"\nto = "*"\nuse = []\nfrmo = 1',
        "line 10: unknown key 'frmo' in transformer number 1 — did you mean 'from'?",
    ),
    "impossible expectation": (
        ONE + "expected = { quality = 2 }",
        "line 6: specialist 'one': 'quality' is 2; input should be less than or equal to 1",
    ),
}

STEPS = {
    "unknown agent": (
        'steps = [\n{ id = "a", agent = "oen", task = "t" },\n]',
        "line 10: step 'a' of template 'p': 'oen' is not one of one — did you mean 'one'?",
    ),
    "unknown need": (
        '[[templates.steps]]\nid = "a"\nagent = "one"\ntask = "t"\nneeds = ["b"]',
        "line 13: step 'a' of template 'p': refers to 'b', which is not a step",
    ),
    "unknown tool": (
        'steps = [{ id = "a", agent = "one", task = "t", tool = "calclate" }]',
        "line 9: step 'a' of template 'p': no tool is called 'calclate' — did you mean 'calculate'?",
    ),
    "forbidden tool": (
        'steps = [{ id = "a", agent = "one", task = "t", tool = "calculate" }]',
        "line 9: step 'a' of template 'p': 'one' may not call 'calculate'",
    ),
    "circle": (
        'steps = [\n{ id = "a", agent = "one", task = "t", needs = ["b"] },\n'
        '{ id = "b", agent = "one", task = "t", needs = ["a"] },\n]',
        "line 6: template 'p': a → b → a",
    ),
    "same id": (
        'steps = [\n{ id = "a", agent = "one", task = "t" },\n{ id = "a", agent = "one", task = "t" },\n]',
        "line 11: step 'a' of template 'p': the id is used twice or is reserved",
    ),
    "reference of another shape": (
        'steps = [{ id = "a", agent = "one", task = "t", args = { x = { ref = { stp = "b" } } } }]',
        "line 9: step 'a' of template 'p': a reference is "
        """{"ref": {"step": ..., "field": ...}} (field may be left out), not {'ref': {'stp': 'b'}}""",
    ),
}

UNREADABLE = {
    "not TOML": (b'name = "t"\nfoo bar', "line 2: not valid TOML: Expected '=' after a key in a key/value pair"),
    "cut off": (b'name = "t"\ndescription = """d', 'line 2: not valid TOML: Unterminated string (the file ends here)'),
    "not UTF-8": ('name = "t"\n# über'.encode("latin-1"), "line 2: the file is not UTF-8 text"),
    "binary": (b"\x7fELF\x02\x01\x00\x00", "line 1: not valid TOML: "),
    "too large": (b"#" * (MAX_BYTES + 1), "line 1: the file has more than 256 kB, which no team needs"),
    "nested too deeply": (b"x = " + b"[" * 50_000, "line 1: arrays or tables are nested too deeply"),
    "endless number": (b"version = " + b"9" * 5_000, "line 1: not valid TOML: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), KEYS_AND_TYPES.values(), ids=KEYS_AND_TYPES.keys())
def test_a_wrong_key_or_type_is_explained(tmp_path: Path, text: str, message: str) -> None:
    assert checked(tmp_path, text) == [message]


@pytest.mark.parametrize(("text", "message"), NAMES.values(), ids=NAMES.keys())
def test_a_name_that_names_nobody_is_explained(tmp_path: Path, text: str, message: str) -> None:
    assert checked(tmp_path, text) == [message]


@pytest.mark.parametrize(("text", "message"), CHOICE.values(), ids=CHOICE.keys())
def test_a_mistake_in_choosing_and_handing_over_is_told(tmp_path: Path, text: str, message: str) -> None:
    assert checked(tmp_path, text) == [message]


def test_the_policies_of_a_team_file_are_those_there_are() -> None:
    assert get_args(PolicyName) == tuple(POLICIES)


@pytest.mark.parametrize(("steps", "message"), STEPS.values(), ids=STEPS.keys())
def test_a_template_that_is_no_plan_is_explained(tmp_path: Path, steps: str, message: str) -> None:
    assert checked(tmp_path, TEMPLATE + steps) == [message]


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_file_is_one_mistake(tmp_path: Path, content: bytes, message: str) -> None:
    [mistake] = checked(tmp_path, content)
    assert mistake.startswith(message)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = TEMPLATE.replace("description", "descripton") + 'steps = [{ id = "a", agent = "oen", task = "t" }]'
    assert checked(tmp_path, text) == [
        "line 1: the team has no 'description'",
        "line 2: unknown key 'descripton' in the team — did you mean 'description'?",
        "line 3: specialist 'one' has no 'description'",
        "line 5: unknown key 'descripton' in specialist 'one' — did you mean 'description'?",
        "line 9: step 'a' of template 'p': 'oen' is not one of one — did you mean 'one'?",
    ]


def test_a_step_that_cannot_be_read_does_not_blame_the_steps_that_need_it(tmp_path: Path) -> None:
    steps = 'steps = [\n{ id = "a", agent = "one" },\n{ id = "b", agent = "one", task = "t", needs = ["a"] },\n]'
    assert checked(tmp_path, TEMPLATE + steps) == ["line 10: step 'a' of template 'p' has no 'task'"]


def test_a_broken_file_is_not_loaded_and_the_error_carries_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(HEAD)
    with pytest.raises(InvalidTeamFile) as caught:
        load_team(path)
    assert caught.value.mistakes == ("line 1: the team has no 'specialists'",)


def test_a_folder_is_not_a_team_file(tmp_path: Path) -> None:
    assert [str(mistake) for mistake in check_team_file(tmp_path)] == ["line 1: this is not a file"]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(ONE, encoding="utf-8-sig")
    assert load_team(str(path)).name == "t"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("marketting", "there is no team 'marketting' — did you mean 'marketing'?"),
        ("zzz", "there is no team 'zzz'; there is audio, documents, home, marketing, operations"),
        ("", "there is no team ''; there is audio, documents, home, marketing, operations"),
        ("no/such.toml", "there is no team file 'no/such.toml'"),
        ("\0.toml", "there is no team file '\\x00.toml'"),
    ],
)
def test_an_unknown_team_is_named_with_the_choices(name: str, message: str) -> None:
    with pytest.raises(UnknownTeam) as caught:
        load_team(name)
    assert str(caught.value) == message


def test_the_shipped_teams_are_listed() -> None:
    assert team_names() == ["audio", "documents", "home", "marketing", "operations"]


@pytest.mark.parametrize("name", team_names())
def test_a_shipped_team_loads_under_its_own_name(name: str) -> None:
    assert load_team(name).name == name


@pytest.mark.parametrize("name", team_names())
def test_a_shipped_team_has_a_template_for_every_kind_of_work(name: str) -> None:
    kinds = {kind for template in load_team(name).templates for kind in template.kinds}
    assert kinds == {"search", "summary", "analysis", "comparison", "creation", "action"}


@pytest.mark.parametrize("name", team_names())
def test_a_shipped_team_asks_before_it_writes(name: str) -> None:
    team = load_team(name)
    asking = [each for each in team.checkpoints if each.action == "REQUEST_APPROVAL"]
    named = {test.value for each in asking for test in each.when if test.measure == "tool" and test.op == "eq"}
    can_be_undone = all(tool.undo or tool.name in named for tool in team.tools if tool.effect == "write")
    assert any(each.condition == "ON_EFFECT" for each in asking) or (team.tools and can_be_undone)


def test_a_blog_goes_through_content_and_blog_writer() -> None:
    [blog] = [template for template in load_team("marketing").templates if template.name == "blog"]
    assert [step.agent for step in blog.steps if not step.delivers] == ["content", "blog_writer"]


async def test_the_known_tools_are_those_of_the_workbench_and_the_notes(tmp_path: Path) -> None:
    records = await SqliteRecords.open(tmp_path / "records.sqlite")
    notes = note_tools(ScopedState(records), Where("acme"))
    await records.close()
    tools = Workbench(tmp_path, tmp_path).toolbox().with_tools(notes).tools
    assert {name: tool.effect for name, tool in tools.items()} == TOOL_EFFECTS


@pytest.mark.parametrize("name", team_names())
def test_the_arguments_in_a_shipped_template_fit_the_tools(name: str, tmp_path: Path) -> None:
    toolbox = Workbench(tmp_path, tmp_path).toolbox()
    steps = [s for template in load_team(name).templates for s in template.steps if s.tool in toolbox.tools]
    assert [problem for step in steps for problem in toolbox.argument_problems(str(step.tool), step.args)] == []


def test_other_tools_can_be_made_known(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(ONE + 'tools = ["mail"]')
    assert load_team(path, tools={"mail": "write"}).specialist("one").tools == ("mail",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[budgets.run]\ncals = 5", "unknown key 'cals' in budgets — did you mean 'calls'?"),
        ('[prices."openai:x"]\noutputs = 5', "unknown key 'outputs' in prices — did you mean 'output'?"),
    ],
)
def test_mistakes_in_budgets_and_prices_are_explained(tmp_path: Path, table: str, message: str) -> None:
    file = tmp_path / "team.toml"
    file.write_text(f'name = "t"\ndescription = "d"\n[[specialists]]\nname = "a"\ndescription = "b"\n{table}\n')
    assert message in "\n".join(map(str, check_team_file(file)))


def test_resources_are_checked_against_the_team(tmp_path: Path) -> None:
    text = f"""{ONE}
[[resources]]
name = "here"
kind = "model"
uses = "small"
serves = ["reeder"]

[[resources]]
name = "printer"
kind = "device"
uses = "print_page"
serves = ["calculate"]
"""
    messages = checked(tmp_path, text)
    assert any("'small' names no model; write provider:name" in m for m in messages)
    assert any("nothing is called 'reeder'" in m for m in messages)
    assert any("no tool is called 'print_page'" in m for m in messages)
