"""docs/errors.md says every code that an error or a row can have, with its status."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import leadwright.errors
from leadwright.identity import RefusalCode

REQUEST = "Codes of a request"
ROW = "Codes of a row: adding leads"
ENTRY = "Codes of an entry: the do-not-contact list"
CODE = re.compile(r"[a-z]+(_[a-z]+)+|suppressed|duplicate")
FAULTS = {
    name: kind
    for name, kind in vars(leadwright.errors).items()
    if isinstance(kind, type) and issubclass(kind, leadwright.errors.LeadwrightError)
}
GENERAL = {kind.code: kind.status for kind in FAULTS.values()}


def modules(root: Path, *rooms: str) -> Iterator[ast.Module]:
    for room in rooms:
        for path in sorted((root / "src" / "leadwright" / room).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"))


def texts(node: ast.AST) -> Iterator[str]:
    """The strings that an expression can be: ``a if b else c`` is two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def called(call: ast.Call) -> str:
    """``conflict`` of ``errors.conflict(…)``."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def raised(root: Path) -> dict[str, set[int]]:
    """The codes given to faults in the source, with the statuses they are given with."""
    found: dict[str, set[int]] = {}
    for call in (node for module in modules(root, "") for node in ast.walk(module) if isinstance(node, ast.Call)):
        if called(call) not in FAULTS:
            continue
        for keyword in call.keywords:
            for code in texts(keyword.value) if keyword.arg == "code" else ():
                found.setdefault(code, set()).add(FAULTS[called(call)].status)
    return found


def shown_as_example(root: Path) -> set[str]:
    """The codes in the examples of the OpenAPI document."""
    calls = (node for module in modules(root, "http") for node in ast.walk(module) if isinstance(node, ast.Call))
    return {code for call in calls if called(call) == "Fault" for code in texts(call.args[1])}


def fault_words(root: Path) -> set[str]:
    """The codes with which rooms refuse one row of many."""
    found: set[str] = set()
    for module in modules(root, "leads", "suppression"):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and called(node) in {"_Unfit", "Rejection", "Result"}:
                given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                found |= {text for argument in given for text in texts(argument)}
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                found |= {text for element in node.value.elts for text in texts(element)}
    return {text for text in found if CODE.fullmatch(text)}


def documented(page: Any, in_backticks: Callable[[str], list[str]], *headings: str) -> set[str]:
    return {code for heading in headings for row in page.rows(heading) for code in in_backticks(row[0])}


def test_every_code_of_a_request_stands_there(
    root: Path, document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    page = document("docs/errors.md")
    there_are = set(raised(root)) | set(GENERAL) | shown_as_example(root)
    assert there_are <= set(in_backticks(page.section(REQUEST)))
    assert documented(page, in_backticks, REQUEST) <= there_are


def test_every_code_of_a_request_has_its_status(
    root: Path, document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    rows = document("docs/errors.md").rows(REQUEST)
    shown = {code: set(map(int, row[1].split(", "))) for row in rows for code in in_backticks(row[0])}
    given = {code: {status} for code, status in GENERAL.items()} | raised(root)
    assert {code: status for code, status in shown.items() if code in given and status != given[code]} == {}


def test_every_code_of_a_row_stands_there(
    root: Path, document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    page = document("docs/errors.md")
    assert fault_words(root) == documented(page, in_backticks, ROW, ENTRY)


def test_every_refusal_of_an_address_stands_there(
    document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    page = document("docs/errors.md")
    assert {code.value for code in RefusalCode} <= set(in_backticks(page.section(ROW)))
    identity = document("docs/guides/identity.md")
    explained = [code for row in identity.rows("When an address is refused") for code in in_backticks(row[0])]
    assert explained == [code.value for code in RefusalCode]
