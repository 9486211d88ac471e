"""Links between documents lead somewhere, and what they name in the tree is there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"(?:src|tests|bench|docs|requirements)/[\w./-]*[\w/]")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as they are commonly made of their words."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_documents_resolves(documents: list[Any]) -> None:
    broken = []
    for page in documents:
        for link in LINK.findall(page.prose):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            found = (page.path.parent / target).resolve() if target else page.path
            if not found.is_file() or (anchor and anchor not in anchors(found.read_text("utf-8"))):
                broken.append((page.name, link))
    assert broken == []


def test_every_page_can_be_found_from_the_readme(documents: list[Any], root: Path) -> None:
    pages = {page.path: page for page in documents}
    reached, waiting = set[Path](), [root / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in pages:
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(pages[page].prose)]
    assert set(pages) - reached == set()


def test_every_path_that_is_named_is_there(
    documents: list[Any], tracked: list[Path], root: Path, in_backticks: Callable[[str], list[str]]
) -> None:
    there = {
        str(place.relative_to(root))
        for path in tracked
        for place in (path, *path.parents)
        if place.is_relative_to(root)
    }
    named = {(page.name, word) for page in documents for word in in_backticks(page.prose) if PATH.fullmatch(word)}
    assert named
    assert {(page, path) for page, path in named if path.rstrip("/") not in there} == set()
