"""A waker for tests, which publishes nothing."""


class CountingWaker:
    """A waker that counts wakes."""

    def __init__(self) -> None:
        self.wakes = 0

    def wake(self, count: int = 1) -> None:
        self.wakes += count
