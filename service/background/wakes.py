"""The Celery app and the wakes.

A wake carries no data. The queue is in SQL; a wake only tells a worker to claim from it.
"""

import threading
from typing import Any

import structlog
from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.exceptions import KombuError, OperationalError

import service.background.spool  # noqa: F401  # registers spool://
from service.domain.errors import ConfigurationError
from service.process.faults import Faults
from service.settings import Settings

TASK = "actlab.train"
QUEUE = "actlab"
MOST_PENDING = 256

log = structlog.get_logger(__name__)


def create_celery(settings: Settings) -> Celery:
    """Return a Celery app without results or acknowledgements, because the state is in SQL.

    Raises ConfigurationError for a broker that Celery does not know.
    """
    _check_broker(settings.broker)
    app = Celery("actlab", broker=settings.broker, set_as_current=False)
    app.conf.update(
        # A wake is deleted when it is read. With acknowledgements, one that a dying Redis does not take would count as
        # a message in progress, and the worker would wait for it for ever before reading another.
        task_queues=[Queue(QUEUE, Exchange(QUEUE), QUEUE, no_ack=True)],
        task_default_queue=QUEUE,
        task_default_exchange=QUEUE,
        task_default_routing_key=QUEUE,
        task_ignore_result=True,
        task_publish_retry=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings),
    )
    return app


def _check_broker(url: str) -> None:
    try:
        Connection(url).get_transport_cls()
        is_known = "://" in url  # without, it would be the host of an AMQP broker
    except (KeyError, ImportError, ValueError):
        is_known = False
    if not is_known:
        raise ConfigurationError("ACTLAB_BROKER_URL is not the URL of a broker such as redis://host:6379/0.")


def _transport_options(settings: Settings) -> dict[str, object]:
    if settings.broker.startswith("spool"):
        folder = str(settings.spool)
        return {"data_folder_in": folder, "data_folder_out": folder, "polling_interval": 0.1}
    # A Redis that hangs must block a background thread for two seconds, not for an hour.
    return {"socket_timeout": 2, "socket_connect_timeout": 2, "visibility_timeout": 3600}


class Waker:
    """Publishes wakes from a thread of its own, so that a broker that is down or hangs delays no caller."""

    def __init__(self, app: Celery, faults: Faults | None = None) -> None:
        self._app = app
        self._faults = faults or Faults()
        self._pending = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._reachable = True
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def wake(self, count: int = 1) -> None:
        """Ask for `count` wakes and return at once.

        Wakes that cannot be published are dropped; the reconciler asks for them again.
        """
        with self._changed:
            self._pending = min(self._pending + count, MOST_PENDING)
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while self._wait():
            self._publish()

    def _wait(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping)
            return not self._stopping

    def _publish(self) -> None:
        with self._changed:
            count, self._pending = self._pending, 0
        try:
            # Wakes do not expire: a worker judges that by its own clock, and one whose clock is ahead would drop all.
            for _ in range(min(count, MOST_PENDING - self._waiting())):
                self._app.send_task(TASK, ignore_result=True, retry=False)
            self._reachable = True
            self._faults.reach("wake.after_publish")
        except (OperationalError, KombuError, OSError) as error:
            if self._reachable:
                log.warning("broker_away", error=str(error))
            self._reachable = False
        except Exception:
            log.exception("wake_failed")  # a defect, which must not end the thread that publishes all wakes

    def _waiting(self) -> int:
        """Return the number of published wakes that no worker has taken."""
        connection: Any
        with self._app.pool.acquire(block=True) as connection, connection._reraise_as_library_errors():
            return int(connection.default_channel._size(QUEUE))
