"""Write agreement.json: figures of other packages, which the tests compare with ours.

The packages stay out of the project's environment, since they bring pandas and matplotlib with them:

python -m venv /tmp/agreement && /tmp/agreement/bin/pip install statsmodels pingouin scikit-posthocs
/tmp/agreement/bin/python tests/domain/statistics/agreement.py
"""

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_suffix(".json")


def cases() -> list[dict[str, Any]]:
    """Return pairs of groups with the figures that statsmodels and pingouin give for them."""
    pingouin, multitest, weightstats = (
        import_module(name) for name in ("pingouin", "statsmodels.stats.multitest", "statsmodels.stats.weightstats")
    )
    rng = np.random.default_rng(15)
    made = []
    for n in (3, 5, 8, 20):
        a = rng.normal(0.96, 0.003, n).round(4)
        b = (a + rng.normal(0.001, 0.002, n)).round(4)
        p_values = rng.uniform(0, 0.1, n).tolist()
        made.append(
            {
                "a": a.tolist(),
                "b": b.tolist(),
                "margin": 0.005,
                "paired_equivalence_p": float(weightstats.ttost_paired(a, b, -0.005, 0.005)[0]),
                "welch_equivalence_p": float(weightstats.ttost_ind(a, b, -0.005, 0.005, usevar="unequal")[0]),
                "probability_of_more": float(pingouin.compute_effsize(a, b, eftype="CLES")),
                "p_values": p_values,
                "p_holm": multitest.multipletests(p_values, method="holm")[1].tolist(),
            }
        )
    return made


def families() -> list[dict[str, Any]]:
    """Return groups with the p values of all their pairs, corrected together, that scikit-posthocs gives for them."""
    posthocs = import_module("scikit_posthocs")
    rng = np.random.default_rng(16)
    made = []
    for groups, n in ((3, 5), (5, 6), (8, 12)):
        values = [rng.normal(0.96 - 0.0005 * group, 0.002, n).round(4).tolist() for group in range(groups)]
        p = posthocs.posthoc_ttest(values, equal_var=False, p_adjust="holm").to_numpy()
        made.append({"groups": values, "welch_holm": p[np.triu_indices(groups, 1)].tolist()})
    return made


def main() -> None:
    versions = {name: version(name) for name in ("statsmodels", "pingouin", "scikit-posthocs", "scipy", "numpy")}
    FILE.write_text(json.dumps({"versions": versions, "cases": cases(), "families": families()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
