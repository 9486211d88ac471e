"""``leadwright leads``: adding the people of a file to a campaign on a server."""

import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from leadwright.cli.remote import Key, Url, connected

if TYPE_CHECKING:
    from leadwright.cli.lead_files import Row
    from leadwright.client import Client

app = typer.Typer(help="Add leads.", no_args_is_help=True)

BATCH = 100


@dataclass
class Tally:
    """What became of the rows so far; each of ``refused`` names its line."""

    rows: int = 0
    added: int = 0
    updated: int = 0
    duplicates: int = 0
    invalid: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def refuse(self, line: int, url: Any, code: str, reason: str) -> None:
        self.invalid += 1
        self.refused.append({"line": line, "linkedinUrl": url, "code": code, "reason": reason})


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] -- keeps the name of the only command
    pass


@app.command()
def add(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its id: camp_…")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON lines; - reads standard input.")],
    form: Annotated[
        str | None, typer.Option("--format", metavar="csv|jsonl", help="Without it, by the file's name.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME=FIELD", help="Such as 'Profile URL=linkedinUrl'; repeatable."),
    ] = None,
    on_duplicate: Annotated[
        str, typer.Option("--on-duplicate", metavar="skip|fill|overwrite", help="What a known person's row does.")
    ] = "skip",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge every row and change nothing.")] = False,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", metavar="FILE", help="Write refused rows here, one JSON a line."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON.")] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Add the people of a file to a campaign, a hundred a request, and tell what became of every row.

    Run again after an interruption, it adds nobody twice.
    """
    from leadwright.cli.lead_files import batches, read

    chosen, names, mode = _format(form, file), _names(columns or ()), _mode(on_duplicate)
    tally = Tally()
    with connected(url, key) as client, _opened(file) as text:
        try:
            for batch in batches(read(text, chosen, names), BATCH):
                _add(client, campaign, batch, tally, on_duplicate=mode, dry_run=dry_run)
                _progress(tally)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="FILE") from error
    _tell(tally, refused, as_json=as_json)


def _format(form: str | None, file: Path) -> str:
    from leadwright.cli.lead_files import FORMATS, format_of

    if str(file) != "-" and not file.exists():
        raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
    chosen = form or format_of(file)
    if chosen not in FORMATS:
        raise typer.BadParameter(f"expected one of {', '.join(FORMATS)}", param_hint="--format")
    return chosen


def _names(columns: Sequence[str]) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for column in columns:
        name, _, meant = column.rpartition("=")
        if not name or not meant:
            raise typer.BadParameter("expected NAME=FIELD, such as 'Profile URL=linkedinUrl'", param_hint="--column")
        names[name] = meant
    return names


def _mode(word: str) -> Any:
    if word not in ("skip", "fill", "overwrite"):
        raise typer.BadParameter("expected one of skip, fill, overwrite", param_hint="--on-duplicate")
    return word


@contextmanager
def _opened(file: Path) -> Generator[TextIO]:
    """UTF-8, with or without the mark that spreadsheets put before it."""
    if str(file) == "-":
        yield sys.stdin
        return
    with file.open(encoding="utf-8-sig", newline="") as text:
        yield text


def _add(
    client: "Client", campaign: str, batch: "Sequence[Row]", tally: Tally, *, on_duplicate: Any, dry_run: bool
) -> None:
    """Adds a batch; one that is too large for a request goes in halves."""
    from leadwright.client import PayloadTooLarge

    good = [(row.line, row.lead) for row in batch if row.lead is not None]
    try:
        if good:
            leads = [lead for _, lead in good]
            told = client.leads.add(campaign, leads, on_duplicate=on_duplicate, dry_run=dry_run)
            tally.added += told.leads_added
            tally.updated += told.leads_updated
            tally.duplicates += told.duplicates_skipped
            for error in told.errors:
                tally.refuse(good[error.index][0], error.linkedin_url, error.code, error.reason)
    except PayloadTooLarge:
        if len(good) < 2:
            raise
        for half in _halves(batch):
            _add(client, campaign, half, tally, on_duplicate=on_duplicate, dry_run=dry_run)
        return
    tally.rows += len(batch)
    for row in batch:
        if row.lead is None:
            tally.refuse(row.line, None, "unreadable", row.reason)


def _halves(batch: "Sequence[Row]") -> "Iterator[Sequence[Row]]":
    middle = len(batch) // 2
    yield batch[:middle]
    yield batch[middle:]


def _progress(tally: Tally) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{tally.rows:,} rows")
        sys.stderr.flush()


def _tell(tally: Tally, refused: Path | None, *, as_json: bool) -> None:
    import json

    from leadwright.cli.output import remark, show_json, show_table

    tally.refused.sort(key=lambda row: row["line"])
    if refused is not None:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in tally.refused)
        refused.write_text("".join(lines), encoding="utf-8")
    report = asdict(tally)
    if as_json:
        show_json(report)
        return
    counts = {name: count for name, count in report.items() if name != "refused"}
    show_table(list(counts), [list(counts.values())])
    for row in tally.refused[:10]:
        remark(f"line {row['line']}: {row['reason']} ({row['code']})")
    if len(tally.refused) > 10:
        remark(f"and {len(tally.refused) - 10} more; --refused FILE writes them all")
