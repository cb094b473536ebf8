"""The request to shut down, which a signal handler sets."""


class Shutdown:
    """A plain flag that a signal handler may set.

    Setting a threading.Event takes a lock, and a second signal during that would wait for the lock for ever.
    """

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        self.requested = True
