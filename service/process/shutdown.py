"""Being told to stop, by a signal."""


class Shutdown:
    """A flag and nothing more, because a signal handler sets it. A threading.Event takes a lock to be set, and a second
    signal that arrives while the first is setting it would wait for that lock for ever."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        self.requested = True
