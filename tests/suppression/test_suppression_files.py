"""A do-not-contact list as a file: read row by row, written in parts, and read again as it was written."""

import asyncio
import contextlib
import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.accounts import service as accounts
from leadwright.errors import InvalidRequest
from leadwright.postgres.pool import Database
from leadwright.suppression.files import COLUMNS, CSV, JSON_LINES, MOST_ROWS, Form, read_file, write_file
from leadwright.suppression.service import MOST_TOLD

IMPORT, EXPORT = "/v1/suppressions/import", "/v1/suppressions/export"


@pytest.fixture
async def manager(database: Database, make_key: Any, base_url: str) -> Any:
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Files", datetime(2026, 3, 1, tzinfo=UTC))
    key = await make_key("suppression:manage", workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        yield client


async def send(client: httpx.AsyncClient, text: str | bytes, media: str = CSV) -> httpx.Response:
    return await client.post(IMPORT, content=text, headers={"Content-Type": media})


async def imported(client: httpx.AsyncClient, text: str, media: str = CSV) -> list[tuple[int, str, str | None]]:
    answer = await send(client, text, media)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    outcomes = [row["outcome"] for row in body["rows"]]
    assert [body["added"], body["alreadyPresent"], body["invalid"]] == [
        outcomes.count(word) for word in ("added", "already_present", "invalid")
    ]
    return [(row["line"], row["outcome"], row.get("code")) for row in body["rows"]]


async def test_every_row_of_a_csv_file_is_told(manager: httpx.AsyncClient) -> None:
    text = (
        "\ufeffEmail;LinkedInUrl;Company;reason;our note\n"
        "jane@example.com;;;asked us;x\n"
        ";in/bob;;;\n"
        '\n;;"Acme\nInc";a customer;\n'
        "JANE@example.com;;;again;\n"
        "nobody;;;;\n"
        "a@b.example;in/x;;;\n"
    )
    assert await imported(manager, text) == [
        (2, "added", None),
        (3, "added", None),
        (5, "added", None),
        (7, "already_present", None),
        (8, "invalid", "invalid_email"),
        (9, "invalid", "not_one_key"),
    ]
    rows = (await manager.get("/v1/suppressions")).json()["suppressions"]
    assert [(row["kind"], row["value"], row["reason"]) for row in rows] == [
        ("email", "jane@example.com", "asked us"),
        ("person", "slug:bob", None),
        ("company", "acme inc", "a customer"),
    ]


async def test_every_line_of_a_json_file_is_told(manager: httpx.AsyncClient) -> None:
    lines = [
        '{"email": "jane@example.com", "reason": "asked"}', "", "{", "[]", '{"company": 5}', '{"company": "A\\u0000"}',
        '{"company": "Acme", "reason": 5}', '{"company": "\\u200b"}', '{"emailDomain": "@x.example", "other": 1}',
    ]  # fmt: skip
    assert await imported(manager, "\n".join(lines), JSON_LINES) == [
        (1, "added", None),
        (3, "invalid", "invalid_json"),
        (4, "invalid", "not_an_object"),
        (5, "invalid", "not_a_string"),
        (6, "invalid", "bad_character"),
        (7, "invalid", "invalid_reason"),
        (8, "invalid", "invalid_company"),
        (9, "added", None),
    ]


@pytest.mark.parametrize("form", [Form.CSV, Form.JSON_LINES])
async def test_what_is_exported_in_parts_is_one_file_and_can_be_read_again(
    manager: httpx.AsyncClient, form: Form
) -> None:
    rows = [f"=cmd{n} Ltd,why {n}" if n % 2 else f"Company {n},@why" for n in range(2_500)]
    told = await imported(manager, "company,reason\n" + "\n".join(rows))
    assert {outcome for _, outcome, _ in told} == {"added"}
    text, cursor = "", ""
    for _ in range(3):
        part = await manager.get(EXPORT, params={"format": form.value, "limit": 1000, "cursor": cursor})
        assert part.headers["content-type"].startswith(form.media)
        text, cursor = text + part.text, part.headers.get("x-next-cursor", "")
    assert cursor == ""
    assert await imported(manager, text, form.media) == [
        (line + (2 if form is Form.CSV else 1), "already_present", None) for line in range(2_500)
    ]
    whole = await manager.get(EXPORT, params={"format": form.value, "kind": "company"})
    assert whole.text == text
    assert (await manager.get(EXPORT, params={"format": "jsonl", "kind": "email"})).text == ""


async def test_a_cell_that_a_spreadsheet_would_run_is_quoted(manager: httpx.AsyncClient) -> None:
    await imported(manager, '{"company": "=HYPERLINK(1)", "reason": "-1"}', JSON_LINES)
    (row,) = csv.DictReader(io.StringIO((await manager.get(EXPORT)).text))
    assert (row["company"], row["reason"], row["kind"]) == ("'=HYPERLINK(1)", "'-1", "company")
    line = json.loads((await manager.get(EXPORT, params={"format": "jsonl"})).text)
    assert (line["company"], line["reason"]) == ("=HYPERLINK(1)", "-1")


@pytest.mark.parametrize(
    ("content", "media"),
    [
        ("", CSV),
        ("email\n", CSV),
        ("name\nJane\n", CSV),
        ("email\treason\na@b.example\t\n", CSV),
        ("email,Email\na@b.example,\n", CSV),
        ('email\n"open', CSV),
        (b"email\n\xff\n", CSV),
        ("\n \n", JSON_LINES),
    ],
)
async def test_a_file_that_cannot_be_judged_is_refused_whole(
    manager: httpx.AsyncClient, content: str | bytes, media: str
) -> None:
    answer = await send(manager, content, media)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_file")
    assert (await manager.get("/v1/suppressions")).json()["suppressions"] == []


async def test_a_file_with_too_many_rows_is_refused_whole(manager: httpx.AsyncClient) -> None:
    answer = await send(manager, "email\n" + "a\n" * (MOST_ROWS + 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_rows")
    assert "100,000" in answer.json()["message"]


async def test_of_a_long_file_the_first_of_its_bad_rows_are_told(manager: httpx.AsyncClient) -> None:
    rows = [f"p{n}@x.example" if n % 100 == 0 else "nobody" for n in range(MOST_TOLD * 11 // 10)]
    told = (await send(manager, "email\n" + "\n".join([*rows, rows[0]]))).json()
    good = len(rows) // 100
    assert (told["added"], told["alreadyPresent"], told["invalid"]) == (good, 1, len(rows) - good)
    assert {row["outcome"] for row in told["rows"]} == {"invalid"}
    assert [row["line"] for row in told["rows"][:2]] == [3, 4]
    assert (len(told["rows"]), told["rowsLeftOut"]) == (MOST_TOLD, len(rows) + 1 - MOST_TOLD)


@pytest.mark.parametrize("row", ["a", "p{}@x.example"])
async def test_others_are_answered_while_a_file_is_read(manager: httpx.AsyncClient, row: str) -> None:
    """When the file was read on the loop, one got through before it and one after it."""
    text = "email\n" + "\n".join(row.format(n) for n in range(10_000))
    reading = asyncio.create_task(send(manager, text))
    answered = 0
    while not reading.done():
        assert (await manager.get("/healthz")).status_code == 200
        answered += 1
    assert (await reading).status_code == 200
    assert answered > 5


async def test_other_types_cursors_and_sizes_are_refused(manager: httpx.AsyncClient) -> None:
    for media in ("application/json", "text/plain", ""):
        answer = await manager.post(IMPORT, content="email\na@b.example\n", headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert (await send(manager, "email\n" + "x" * 2_000_001)).status_code == 413
    for query, field in (
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("format=xml", "format"),
    ):
        answer = await manager.get(f"{EXPORT}?{query}")
        assert [detail["path"] for detail in answer.json()["details"]] == [field]


async def test_the_scope_is_needed_and_another_workspace_sees_nothing(
    manager: httpx.AsyncClient, anonymous: httpx.AsyncClient, make_key: Any, other_headers: dict[str, str]
) -> None:
    await imported(manager, "email\njane@example.com\n")
    assert "jane" not in (await anonymous.get(EXPORT, headers=other_headers)).text
    key = await make_key("leads:write")
    assert (await anonymous.get(EXPORT, headers=key)).status_code == 403
    refused = await anonymous.post(IMPORT, content="email\na@b.example\n", headers=key | {"Content-Type": CSV})
    assert refused.status_code == 403


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


filled = texts.filter(str.strip)


@given(st.lists(st.fixed_dictionaries({"company": filled, "reason": filled}), min_size=1))
def test_whatever_is_written_is_read_as_it_was(rows: list[dict[str, str]]) -> None:
    for form in Form:
        text = write_file(rows[:1], form, is_first=True) + write_file(rows[1:], form, is_first=False)
        read = read_file(text.encode(), form.media)
        assert [(dict(row.entry), row.reason) for row in read] == [
            ({"company": row["company"]}, row["reason"]) for row in rows
        ]


@given(st.binary(max_size=60), st.sampled_from([CSV, JSON_LINES]))
def test_no_file_breaks_the_reader(body: bytes, media: str) -> None:
    for content in (body, b"email\n" + body):
        with contextlib.suppress(InvalidRequest):
            lines = [row.line for row in read_file(content, media)]
            assert lines == sorted(set(lines))


def test_every_key_of_an_entry_is_a_column() -> None:
    assert COLUMNS[:5] == ("linkedinUrl", "email", "emailDomain", "company", "reason")
