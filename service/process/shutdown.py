"""The request to shut down, which a signal handler sets."""


class Shutdown:
    """A plain flag that a signal handler may set.

    Setting a threading.Event takes a lock, and a second signal during that would wait for the lock for ever.
    `status` is the exit status of the process.
    """

    def __init__(self) -> None:
        self.requested = False
        self.status = 0

    def request(self, status: int = 0) -> None:
        self.status = self.status or status
        self.requested = True
