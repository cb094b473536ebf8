"""Environment variables that a worker must have before its first library loads.

Measured with `python -m benchmarks.environment`; the figures are in docs/performance.md.
"""

import os
import sys

VARIABLES = {
    # Threads that wait for each other sleep. By default they spin, and where anything else wants a processor they spin
    # through the very time that the thread they wait for needs.
    "OMP_WAIT_POLICY": "PASSIVE",
    # glibc gives large blocks back to the system and fetches them again, page by page, in every step: keep them.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
}


def restart_unless_set() -> None:
    """Replace this process by itself with the variables set, keeping what the operator has set otherwise. The process
    id stays the same; glibc reads its variables at no other time."""
    if not VARIABLES.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], VARIABLES | os.environ)
