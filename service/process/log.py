"""Logging of a process: structured lines on stderr, from this code and from libraries."""

import logging
import sys
from typing import TextIO, cast

import structlog

from service.access.keys import redacted


class Forgiving:
    """A stream whose writes never fail: where a disk is full, log lines are lost and the work continues.

    Secrets of API keys do not reach it, whoever puts one into a message or an address.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(redacted(text))
        except OSError:
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


def configure(level: str) -> None:
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = cast(TextIO, Forgiving(sys.stderr))
    logging.basicConfig(level=max(number, logging.WARNING), stream=stream, format="%(asctime)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Plain: the default prints every local variable, at length, and secrets among them.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
