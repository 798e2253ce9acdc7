import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agents.tools.registry import Toolbox, ToolOutput
from agents.tools.tables import MAX_ROWS, Tables, table_tools
from domain.errors import QueryNotAllowed, ToolError, ToolTimeout, UnknownFolder
from domain.outcomes import Source


def made(data: Path) -> Path:
    data.mkdir()
    (data / "power-plants.csv").write_text("year,source,output\n2001,Coal,100\n2001,Wind,50\n2002,Coal,7000\n")
    return data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made(tmp_path / "data")


@pytest.fixture
def tables(folder: Path) -> Tables:
    return Tables(folder)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("shared") / "data")


@pytest.fixture(scope="module")
def shared(shared_folder: Path) -> Tables:
    """One database for the queries that must not change it."""
    return Tables(shared_folder)


async def call(folder: Path, tool: str, **args: Any) -> ToolOutput:
    return await Toolbox.of(table_tools(Tables(folder))).get(tool).call(args)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_query_answers_with_columns_rows_and_source(folder: Path) -> None:
    sql = "SELECT source, sum(output) AS total FROM power_plants GROUP BY source ORDER BY total"
    answer = await call(folder, "query_tables", sql=sql)
    rows = [["Wind", 50], ["Coal", 7100]]
    assert answer.data == {"columns": ["source", "total"], "rows": rows, "sql": sql, "truncated": False}
    assert answer.text == "| source | total |\n| --- | --- |\n| Wind | 50 |\n| Coal | 7100 |"
    assert answer.sources == (Source(name="power_plants", locator=sql),)


async def test_a_table_is_described(folder: Path) -> None:
    answer = await call(folder, "describe_table", name="power_plants")
    assert answer.data["table"] == "power_plants"
    assert answer.data["rows"] == 3
    assert answer.data["columns"][:2] == [
        {"name": "year", "type": "BIGINT", "distinct": 2, "min": 2001, "max": 2002, "examples": [2001, 2002]},
        {"name": "source", "type": "VARCHAR", "distinct": 2, "min": "Coal", "max": "Wind", "examples": ["Coal", "Wind"]}
    ]  # fmt: skip


def test_the_summary_names_categories_and_ranges_but_not_measures(tables: Tables) -> None:
    expected = "3 rows: year (BIGINT 2001-2002), source (VARCHAR: Coal, Wind), output (BIGINT)"
    assert tables.get("power_plants").summary() == expected


@pytest.mark.parametrize(
    "sql",
    [
        "WITH t AS (FROM power_plants) SELECT count(*) FROM t; -- done",
        "FROM power_plants",
        "DESCRIBE power_plants",
        "SUMMARIZE power_plants",
        "SHOW TABLES",
        "VALUES (1)",
        "SELECT * FROM range(3)",
        "SELECT unnest([1, 2]), row_number() OVER () FROM POWER_PLANTS",
        "SELECT now(), timestamptz '2024-01-01' ORDER BY 1; -- zoned",
    ],
)
def test_queries_that_only_read_may_run(shared: Tables, sql: str) -> None:
    assert shared.query(sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT content FROM (FROM read_text('/etc/passwd'))",
        "SELECT (SELECT count(*) FROM read_text('/etc/passwd'))",
        "SELECT 1 WHERE EXISTS (FROM glob('/etc/*'))",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'data.csv'",
        "SELECT * FROM read_csv('http://127.0.0.1/x.csv')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM pandas_scan(1)",
        "SELECT * FROM enable_logging(storage = 'file', storage_config = {'path': 'log'})",
        "SELECT * FROM enable_profiling(save_location = 'profile.json')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM checkpoint()",
        "SELECT getenv('HOME')",
        "SELECT * FROM folder",
        "COPY power_plants TO 'stolen.csv'",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "EXPORT DATABASE 'stolen'",
        "IMPORT DATABASE '/etc'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CALL enable_logging()",
        "CREATE TABLE x AS SELECT 1",
        "CREATE TEMP VIEW x AS SELECT 1",
        "INSERT INTO power_plants VALUES (1, 'a', 1)",
        "UPDATE power_plants SET output = 0",
        "DELETE FROM power_plants",
        "DROP TABLE power_plants",
        "WITH x AS (INSERT INTO power_plants VALUES (1, 'a', 1) RETURNING *) SELECT * FROM x",
        "WITH x AS (DELETE FROM power_plants RETURNING *) FROM x",
        "EXPLAIN ANALYZE DELETE FROM power_plants",
        "BEGIN TRANSACTION",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM power_plants",
        "PREPARE p AS SELECT 1",
        "",
        "-- nothing",
        "selec",
        "SELECT \0 1",
        "SELECT " + "(" * 1500 + "1" + ")" * 1500,
    ],
    ids=lambda sql: repr(sql)[:60],
)
def test_queries_that_reach_out_or_write_are_refused(shared: Tables, shared_folder: Path, sql: str) -> None:
    before, rows = contents(shared_folder), shared.query("FROM power_plants").rows
    with pytest.raises(QueryNotAllowed):
        shared.query(sql)
    assert (contents(shared_folder), shared.query("FROM power_plants").rows) == (before, rows)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT outptu FROM power_plants", '"output".*power_plants\\(year, source, output\\)'),
        ("SELECT * FROM powerplants", "power_plants\\(year, source, output\\)"),
    ],
    ids=["column", "table"],
)
def test_an_unknown_name_is_answered_with_those_there_are(tables: Tables, sql: str, words: str) -> None:
    with pytest.raises(QueryNotAllowed, match=words):
        tables.query(sql)


def test_an_unknown_table_to_describe(tables: Tables) -> None:
    with pytest.raises(QueryNotAllowed, match="power_plants"):
        tables.get("power_plant")


def test_a_query_that_fails_on_the_data(tables: Tables) -> None:
    with pytest.raises(ToolError, match="Could not convert"):
        tables.query("SELECT source::INT FROM power_plants")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(10000000000) a, range(1000000) b",
        "WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    ],
    ids=["join", "recursion"],
)
def test_a_long_query_is_stopped(folder: Path, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(ToolTimeout, match="0.2 s"):
        Tables(folder, query_seconds=0.2).query(sql)
    assert time.monotonic() - began < 5


async def test_many_rows_are_cut(folder: Path) -> None:
    answer = await call(folder, "query_tables", sql="SELECT * FROM range(100000000)")
    assert (len(answer.data["rows"]), answer.data["truncated"]) == (MAX_ROWS, True)
    assert "there are more" in answer.text


async def test_values_of_all_types_become_json(folder: Path) -> None:
    sql = """SELECT DATE '2001-02-03', TIMESTAMP '2001-02-03 04:05:06', TIME '01:02:03', 1.50::DECIMAL(5,2),
        2::DECIMAL(5,2), 2::HUGEINT ** 70, 'nan'::DOUBLE, 'ab'::BLOB, INTERVAL 1 DAY, [1, NULL],
        {'a': DATE '2001-02-03'}, NULL, true, timestamptz '2001-02-03 00:00:00+00', repeat('x', 3000)"""
    [row] = (await call(folder, "query_tables", sql=sql)).data["rows"]
    assert json.loads(json.dumps(row)) == row
    assert row[:5] == ["2001-02-03", "2001-02-03T04:05:06", "01:02:03", 1.5, 2]
    assert row[6:13] == [None, "(2 bytes)", "1 day, 0:00:00", [1, None], {"a": "2001-02-03"}, None, True]
    assert len(row[-1]) == 2000


async def test_a_cell_cannot_break_the_markdown(folder: Path) -> None:
    answer = await call(folder, "query_tables", sql="SELECT 'a|b' || chr(10) || 'c' AS x")
    assert answer.text == "| x |\n| --- |\n| a\\|b c |"


@pytest.mark.parametrize(
    ("name", "content", "table"),
    [
        ("a.tsv", "x\ty\n1\t2\n", "a"),
        ("a.json", '[{"x": 1, "y": 2}]', "a"),
        ("a.jsonl", '{"x": 1, "y": 2}\n', "a"),
        ("Sales 2024 [v1]*.csv", "x,y\n1,2\n", "sales_2024_v1"),
        ("2024.csv", "x,y\n1,2\n", "t_2024"),
        ("select.csv", "x,y\n1,2\n", "t_select"),
        ("données.csv", "x,y\n1,2\n", "donn_es"),
        ("-.csv", "x,y\n1,2\n", "t_table"),
    ],
)
def test_each_kind_of_file_becomes_a_table(folder: Path, name: str, content: str, table: str) -> None:
    (folder / name).write_text(content)
    assert Tables(folder).query(f"SELECT x + y FROM {table}").rows == [(3,)]


def test_parquet(folder: Path) -> None:
    duckdb.connect(":memory:").execute(f"COPY (SELECT 1 AS x) TO '{folder}/a.parquet'")
    assert Tables(folder).query("SELECT x FROM a").rows == [(1,)]


def test_names_that_are_alike_are_numbered(folder: Path) -> None:
    for name in ("b/power plants.csv", "c/POWER_PLANTS.csv", "power_plants_2.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x\n1\n")
    names = [table.name for table in Tables(folder).all()]
    assert len(set(names)) == len(names) == 4
    assert "power_plants" in names


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv", b""),
        ("a.csv", bytes(range(256)) * 50),
        ("a.json", b'{"x": '),
        ("a.parquet", b"PAR1 and then nothing"),
    ],
)
def test_a_broken_file_is_named_and_the_others_work(folder: Path, name: str, raw: bytes) -> None:
    (folder / name).write_bytes(raw)
    tables = Tables(folder)
    [broken] = [table for table in tables.all() if table.problem]
    assert broken.file == name
    assert str(folder) not in broken.problem
    with pytest.raises(ToolError, match="cannot be queried"):
        tables.get(broken.name)
    with pytest.raises(QueryNotAllowed) as refused:
        tables.query(f"SELECT * FROM {broken.name.upper()}")
    assert str(refused.value).startswith(f"table 'a' (file {name}) cannot be queried: {broken.problem}. Tables: ")
    assert "Did you mean" not in str(refused.value)
    assert tables.query("FROM power_plants").rows


def test_a_link_that_leads_out_is_not_loaded(folder: Path) -> None:
    (folder.parent / "secret.csv").write_text("x\n1\n")
    (folder / "leak.csv").symlink_to(folder.parent / "secret.csv")
    with pytest.raises(ToolError, match="leads out"):
        Tables(folder).get("leak")


def test_a_changed_file_is_loaded_again(folder: Path, tables: Tables) -> None:
    assert tables.get("power_plants").rows == 3
    (folder / "power-plants.csv").write_text("year\n1\n")
    assert tables.query("FROM power_plants").rows == [(1,)]
    assert tables.get("power_plants").rows == 1


def test_an_unchanged_folder_is_loaded_once(tables: Tables) -> None:
    assert tables.get("power_plants") is tables.get("power_plants")


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UnknownFolder):
        Tables(tmp_path / "nowhere").all()
