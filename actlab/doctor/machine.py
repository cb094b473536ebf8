"""Checks of this machine as part of a service: device, database, broker, data sets, disk, port.

The functions import the server's libraries when they run, since a client is installed without them.
"""

import errno
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from actlab import ports
from actlab.doctor.findings import Finding

if TYPE_CHECKING:
    from service.settings import Settings
    from service.storage.engine.database import Database

GIB = 2**30
LEAST_FREE = 1 * GIB
"""Free bytes below which writing checkpoints, weights and the database soon fails."""
LITTLE_FREE = 5 * GIB
BROKER_SECONDS = 3


def device(settings: "Settings") -> Finding:
    """Check that the device of ACTLAB_DEVICE can be used."""
    try:
        import torch

        from worker import devices
    except ModuleNotFoundError as error:
        return Finding("device", "skipped", f"This machine does not train: {error.name} is missing.",
                       "To train here: pip install 'actlab[worker]'")  # fmt: skip
    try:
        kind, name = devices.choose(settings)
    except devices.UnusableDevice as error:
        return Finding("device", "problem", error.detail, "Set ACTLAB_DEVICE=cpu, or repair CUDA.")
    return Finding("device", "ok", f"{kind} ({name}), PyTorch {torch.__version__}")


def database(settings: "Settings") -> Finding:
    """Check that the database answers and is at the revision that this version needs."""
    from sqlalchemy.exc import SQLAlchemyError

    from service.domain.errors import ConfigurationError, SchemaOutdated
    from service.storage import migrate
    from service.storage.engine.database import open_database

    file = _sqlite_file(settings)
    if file is not None and not file.exists():
        return Finding("database", "warning", f"{file} does not exist yet.", "`actlab up` makes it.")
    try:
        with closing(open_database(settings)) as opened:
            migrate.check(opened)
            return Finding("database", "ok", f"{_described(opened)}, revision {migrate.current(opened)}")
    except SchemaOutdated as error:
        return Finding("database", "problem", error.detail, "`actlab db upgrade`, while no service runs on it.")
    except ConfigurationError as error:
        return Finding("database", "problem", error.detail, "Correct ACTLAB_DATABASE_URL.")
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return Finding(
            "database", "problem", f"It does not answer: {reason}", "Start it, or correct ACTLAB_DATABASE_URL."
        )


def broker(settings: "Settings") -> Finding:
    """Check that the broker takes messages. They only wake workers sooner: the queue is in the database."""
    from kombu.exceptions import OperationalError

    from service.background.wakes import create_celery
    from service.domain.errors import ConfigurationError

    remedy = "Start it, or correct ACTLAB_BROKER_URL. Until then, workers find work by asking the database."
    if settings.broker_url is None:
        folder = _nearest(settings.spool)
        if os.access(folder, os.W_OK):
            return Finding("broker", "ok", f"spool folder {settings.spool}")
        return Finding("broker", "problem", f"{folder} cannot be written.", "Give it to this user, or set ACTLAB_HOME.")
    try:
        with create_celery(settings).connection_for_write(connect_timeout=BROKER_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
            return Finding("broker", "ok", f"{connection.as_uri()} answers")  # as_uri leaves the password out
    except ConfigurationError as error:
        return Finding("broker", "problem", error.detail, "Correct ACTLAB_BROKER_URL.")
    except (OperationalError, OSError) as error:
        return Finding("broker", "problem", f"It does not answer: {error}", remedy)


def data_sets(settings: "Settings") -> Finding:
    """Check which data sets this machine has, and that their files are the published ones."""
    from service.datasets.locations import Locations
    from service.datasets.reading import read
    from service.domain.datasets import DATASETS
    from service.domain.errors import InvalidData

    locations = Locations(settings.home, settings.data_dir)
    found: list[str] = []
    absent: list[str] = []
    faults: list[str] = []
    for name, definition in DATASETS.items():
        try:
            is_here = definition.publication is None or read(definition, locations) is not None
            (found if is_here else absent).append(name)
        except InvalidData as error:
            faults.append(error.detail)
    if faults:
        return Finding("data sets", "problem", " ".join(faults), "Delete the damaged files, then `actlab data fetch`.")
    later = f"; {', '.join(absent)} will be downloaded when first needed" if absent else ""
    remedy = f"Without a network: `actlab data fetch {' '.join(absent)}` where there is one." if absent else None
    return Finding("data sets", "ok", f"{', '.join(found)}{later}", remedy)


def disk(settings: "Settings") -> Finding:
    """Check that the data folder can be written and has room."""
    folder = _nearest(settings.home.resolve())
    if not os.access(folder, os.W_OK):
        return Finding("disk", "problem", f"{folder} cannot be written.", "Give it to this user, or set ACTLAB_HOME.")
    free = shutil.disk_usage(folder).free
    finding = f"{free / GIB:.1f} GiB free for {settings.home.resolve()}"
    if free < LITTLE_FREE:
        remedy = "Make room, set ACTLAB_WEIGHTS_DAYS to remove old weights, or set ACTLAB_HOME to another disk."
        return Finding("disk", "problem" if free < LEAST_FREE else "warning", finding, remedy)
    return Finding("disk", "ok", finding)


def port(settings: "Settings", *, is_served: bool) -> Finding:
    """Check that the port of the API is free, or that a service of ours has it."""
    place = f"port {settings.port} of {settings.host}"
    if is_served:
        return Finding("port", "ok", f"ActLab serves at {place}")
    problem = ports.bind_problem(settings.host, settings.port)
    if problem is None:
        return Finding("port", "ok", f"{place} is free")
    if problem.errno == errno.EADDRINUSE:
        return Finding("port", "problem", f"Another program has {place}.", "End it, or set ACTLAB_PORT to another one.")
    reason = problem.strerror or str(problem)
    return Finding("port", "problem", f"{place} cannot be bound: {reason}", "Set ACTLAB_HOST and ACTLAB_PORT.")


def _sqlite_file(settings: "Settings") -> Path | None:
    """Return the file of a SQLite database, which opening it would make; None for another one."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(settings.database)
    except ArgumentError:
        return None  # opening it says what is wrong
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _described(database: "Database") -> str:
    return database.engine.url.render_as_string(hide_password=True)


def _nearest(path: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
