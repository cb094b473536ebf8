"""Remove each guard in turn in a copy of the source, and require that one of its tests fails.

python -m tests.mutants [word of a guard's name ...]
"""

import sys

from tests.mutants.gate import run
from tests.mutants.guards import GUARDS


def main(words: list[str]) -> int:
    chosen = [guard for guard in GUARDS if not words or any(word in guard.name for word in words)]
    verdicts = run(chosen, lambda verdict: sys.stdout.write(f"{verdict}\n") and sys.stdout.flush())
    survivors = sum(verdict.caught_by is None for verdict in verdicts)
    sys.stdout.write(f"{len(verdicts) - survivors} of {len(verdicts)} guards are held by a test\n")
    return int(survivors > 0)


sys.exit(main(sys.argv[1:]))
