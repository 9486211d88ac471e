"""docs/ARCHITECTURE.md shows the house as it stands: tables, files, functions, boundaries."""

import configparser
import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TABLE = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)")
WRITE = re.compile(r"\b(?:INSERT INTO|DELETE FROM|UPDATE|TRUNCATE|MERGE INTO)\s+(?:ONLY )?([a-z_]+)\b")
DOTTED = re.compile(r"[a-z_]+(?:\.[A-Za-z_]+)+")
OWNERS = "Which room writes which table"
APART = ("http", "engine")
"""Parts whose modules lie in several layers: each is placed by itself."""


def tables(root: Path) -> set[str]:
    """What the migrations make, and the migrations' own ledger."""
    migrations = (root / "src/leadwright/postgres/migrations").glob("*.sql")
    sources = [*migrations, root / "src/leadwright/postgres/migrate.py"]
    return {table for source in sources for table in TABLE.findall(source.read_text("utf-8"))}


def writes(root: Path) -> Iterator[tuple[str, str]]:
    """Each room with a table that its code writes. ``ON CONFLICT DO UPDATE SET`` writes what was inserted into."""
    there_are = tables(root)
    package = root / "src/leadwright"
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0]
        text = re.sub(r"FOR (?:NO KEY )?UPDATE(?: OF)?|DO UPDATE", "", path.read_text("utf-8"))
        for table in WRITE.findall(text):
            if table in there_are:
                yield room, table


def test_every_table_is_written_by_its_room_or_by_a_named_exception(
    root: Path, document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]
) -> None:
    rows = document("docs/ARCHITECTURE.md").rows(OWNERS)
    owned = {(in_backticks(room)[0], table) for room, owns, _ in rows for table in in_backticks(owns)}
    excepted = {(other, table) for _, _, others in rows for table, other in re.findall(r"`(\w+)` by `(\w+)`", others)}
    found = set(writes(root))
    assert sorted(table for _, table in owned) == sorted(tables(root))
    assert found - owned == excepted
    # The rows of these are made by the migration, and then only locked or read.
    assert {table for _, table in owned - found} == {"duty", "erasure_key"}


def test_sql_that_writes_stands_in_stores(root: Path) -> None:
    places = {
        path.relative_to(root / "src/leadwright").as_posix()
        for path in (root / "src/leadwright").rglob("*.py")
        if set(WRITE.findall(path.read_text("utf-8"))) & tables(root)
    }
    elsewhere = {place for place in places if not place.endswith("store.py") and not place.startswith("postgres/")}
    assert elsewhere == {"campaigns/counters.py", "http/idempotency.py"}


def test_every_function_that_is_named_is_there(
    documents: list[Any], in_backticks: Callable[[str], list[str]], root: Path
) -> None:
    packages = {path.stem for path in (root / "src/leadwright").iterdir()}
    named = {
        (page.name, word)
        for page in documents
        if page.name.startswith(("docs/ARCHITECTURE", "docs/decisions"))
        for word in in_backticks(page.prose)
        if DOTTED.fullmatch(word) and word.partition(".")[0] in packages and not word.endswith((".py", ".key", ".lock"))
    }
    assert named
    assert {(page, word) for page, word in named if not exists(word)} == set()


def exists(dotted: str) -> bool:
    """Whether ``room.module.thing.part`` can be had below ``leadwright``."""
    found: Any = importlib.import_module("leadwright")
    place = "leadwright"
    for part in dotted.split("."):
        place += f".{part}"
        if not hasattr(found, part):
            try:
                importlib.import_module(place)
            except ModuleNotFoundError:
                return False
        found = getattr(found, part)
    return True


def test_every_part_of_the_package_has_its_place_in_the_contracts(root: Path) -> None:
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter")
    placed = set(re.findall(r"leadwright[\w.]*", contracts["importlinter:contract:house"]["layers"]))
    package = root / "src/leadwright"
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    inside = {f"{part}.{path.stem}" for part in APART for path in (package / part).iterdir() if path.stem[0] != "_"}
    expected = {f"leadwright.{part}" for part in (parts | inside) - {"__init__", *APART}}
    assert placed == expected


def test_every_room_has_the_contract_of_rooms(root: Path) -> None:
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter")
    rooms = {path.parent.name for path in (root / "src/leadwright").glob("*/store.py")} - {"engine"}
    assert set(contracts["importlinter:contract:room"]["containers"].split()) == {
        f"leadwright.{room}" for room in rooms
    }
    assert {f"importlinter:contract:store-of-{room}" for room in rooms} <= set(contracts.sections())


def test_every_part_is_in_the_table_of_parts(root: Path, document: Callable[[str], Any]) -> None:
    package = root / "src/leadwright"
    told = document("docs/ARCHITECTURE.md").text
    parts = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in package.iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and not path.name.startswith("__"))
    }
    assert {part for part in parts if f"`{part}" not in told} == set()


def test_every_decision_is_in_the_list(root: Path, document: Callable[[str], Any]) -> None:
    index = document("docs/decisions/README.md").text
    pages = sorted(path for path in (root / "docs/decisions").glob("0*.md"))
    listed = re.findall(r"\| (\d+) \| \[([^\]]+)\]\((\S+)\) \|", index)
    assert [name for _, _, name in listed] == [page.name for page in pages]
    for (number, title, _), page in zip(listed, pages, strict=True):
        heading = page.read_text("utf-8").splitlines()[0]
        assert re.fullmatch(rf"# 0*{number}[.:] {re.escape(title)}", heading), heading
