"""Ports of this machine: whether one is free, and the choice of a free one."""

import errno
import socket


def bind_problem(host: str, port: int) -> OSError | None:
    """Return the error of binding an address; None where it is free."""
    try:
        _bind(host, port)
    except OSError as error:
        return error
    return None


def is_taken(host: str, port: int) -> bool:
    problem = bind_problem(host, port)
    return problem is not None and problem.errno == errno.EADDRINUSE


def free_port(host: str) -> int:
    """Return a port that is free now."""
    return _bind(host, 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        bound: int = listener.getsockname()[1]
    return bound
