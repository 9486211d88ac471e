"""Structured logs on standard error: ids, codes and durations, never bodies, keys or names of people."""

import logging
import sys
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger, Processor


def configure(level: str, form: Literal["auto", "console", "json"]) -> None:
    """Sends our own and the libraries' records through one chain to standard error."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer(_as_json)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        handlers=[_Bridge()], level=max(logging.INFO, logging.getLevelNamesMapping()[level.upper()]), force=True
    )
    logging.getLogger("uvicorn.access").disabled = True


def _as_json(event: object, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def logger(name: str) -> FilteringBoundLogger:
    bound: Any = structlog.get_logger(component=name)
    return bound


class _Bridge(logging.Handler):
    """Hands the records of libraries to structlog. Of a fault only the kind: its text may repeat stored values."""

    def emit(self, record: logging.LogRecord) -> None:
        log: Any = structlog.get_logger(component=record.name)
        fault = record.exc_info[0] if record.exc_info else None
        if fault is None:
            log.log(record.levelno, record.getMessage())
        else:
            # The lines behind the first are the fault's own words, for example asyncio's repr of it.
            log.log(record.levelno, record.getMessage().split("\n", 1)[0], fault=fault.__name__)
