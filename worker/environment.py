"""The environment variables that a worker must have before its first library loads.

Measured with `python -m benchmarks.environment`; the figures are in docs/performance.md.
"""

import os
import sys

VARIABLES = {
    # Waiting threads sleep. By default they spin, and where processors are scarce they take the time that the thread
    # they wait for needs.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Keep large blocks: by default glibc returns them to the system and fetches them again, page by page, each step.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TOP_PAD_": str(256 * 2**20),
}


def restart_unless_set() -> None:
    """Restart this process with the variables set, unless they are. Values that the operator has set are kept; an empty
    variable counts as unset.

    The process id stays the same. glibc reads its variables only at the start of a process.
    """
    unset = {name: value for name, value in VARIABLES.items() if not os.environ.get(name)}
    if unset:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | unset)
