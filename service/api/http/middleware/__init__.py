"""One middleware a task, each judging or changing every request before any route sees it."""
