"""Logging of a process: lines on stderr, from this code and from libraries, as text for people or as JSON."""

import logging
import re
import sys
from collections.abc import Sequence
from typing import Literal, TextIO, cast

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from service.access.keys import redacted

Format = Literal["auto", "console", "json"]
PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):[^\s@]*@")
"""The user and the password in a URL."""

_process: dict[str, str] = {}


class Forgiving:
    """A stream whose writes never fail: where a disk is full, log lines are lost and the work continues.

    Secrets of API keys and passwords of URLs do not reach it, whoever puts one into a message or an address.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(without_secrets(text))
        except OSError:
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


def without_secrets(text: str) -> str:
    """Return a text in which secrets of keys and share links, and passwords of URLs, are replaced by dots."""
    text = redacted(text)
    return PASSWORD.sub(r"\1:...@", text) if "://" in text else text


def configure(level: str, form: Format = "auto") -> None:
    """Write the records of structlog and of the standard library, and Python's warnings, to stderr in one form.

    `auto` is JSON, one object a line, where stderr is no terminal.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = cast(TextIO, Forgiving(sys.stderr))
    render = _renderers(form, is_terminal=sys.stderr.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared()],
            processors=[ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_shared(), *render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


def identify(**fields: str) -> None:
    """Add fields to each record of this process, of all its threads."""
    _process.update(fields)


def _add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**_process, **event}


def _shared() -> list[Processor]:
    """Return what adds to a record the fields that are bound where it is made, the level and the time."""
    return [
        structlog.contextvars.merge_contextvars,
        _add_process,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderers(form: Format, *, is_terminal: bool) -> Sequence[Processor]:
    if form == "json" or (form == "auto" and not is_terminal):
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    # Plain: the default prints every local variable, at length, and secrets among them.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=plain)]
