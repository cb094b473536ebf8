"""Examples of what comparisons, curves and claims answer, for the documentation."""

from typing import Any

COMPARISON: dict[str, Any] = {
    "metric": "test_accuracy",
    "groups": [
        {
            "factors": {"activation": "swish"},
            "n": 3,
            "n_duplicate": 0,
            "n_diverged": 0,
            "n_failed": 0,
            "n_pending": 0,
            "mean": 0.961,
            "sd": 0.003,
            "median": 0.961,
            "min": 0.958,
            "max": 0.964,
            "interval": [0.9535, 0.9685],
            "test_image_interval": [0.9455, 0.9755],
            "seeds": None,
            "rank": [1, 1],
        },
        {
            "factors": {"activation": "relu"},
            "n": 3,
            "n_duplicate": 0,
            "n_diverged": 0,
            "n_failed": 0,
            "n_pending": 0,
            "mean": 0.951,
            "sd": 0.002,
            "median": 0.951,
            "min": 0.949,
            "max": 0.953,
            "interval": [0.946, 0.956],
            "test_image_interval": [0.934, 0.967],
            "seeds": None,
            "rank": [2, 2],
        },
    ],
    "pairs": [
        {
            "a": {"activation": "swish"},
            "b": {"activation": "relu"},
            "test": "paired t",
            "difference": 0.01,
            "interval": [0.0034, 0.0166],
            "p": 0.0225,
            "p_holm": 0.0225,
            "p_attainable": 0.25,
            "hedges_g": 2.21,
            "wilcoxon_p": None,
            "verdict": "better",
            "interval_disagrees": False,
            "diverged": None,
        }
    ],
    "family": {
        "metric": "test_accuracy",
        "title": "Test accuracy at the last epoch",
        "unit": "fraction",
        "higher_is_better": True,
        "pairs": 1,
        "versus": {"activation": "relu"},
        "alpha": 0.05,
        "p_correction": "Holm",
        "interval_correction": "Bonferroni",
        "interval_confidence": 0.95,
        "disagreements": 0,
        "decision": "A pair is separated where p, adjusted after Holm for all pairs of this family, is at most 0.05.",
        "intervals": "A group's interval is over seeds, its test_image_interval over test images.",
    },
    "seeds_needed": None,
    "effects": [],
}

_GROUP: dict[str, Any] = {
    "epochs": [1, 2, 3],
    "n": [3, 3, 2],
    "n_non_finite": [0, 0, 0],
    "n_diverged": 0,
    "reached": None,
    "seeds": None,
}

CURVES: dict[str, Any] = {
    "metric": "validation_accuracy",
    "title": "Validation accuracy",
    "unit": "fraction",
    "higher_is_better": True,
    "groups": [
        _GROUP
        | {
            "factors": {"activation": "relu"},
            "mean": [0.8817, 0.9283, 0.9425],
            "low": [0.8624, 0.9177, 0.9234],
            "high": [0.901, 0.9389, 0.9616],
            "seconds": [6.1, 12.2, 18.4],
        },
        _GROUP
        | {
            "factors": {"activation": "swish"},
            "mean": [0.8958, 0.9367, 0.9563],
            "low": [0.878, 0.9261, 0.9372],
            "high": [0.9136, 0.9473, 0.9754],
            "seconds": [6.3, 12.5, 18.8],
        },
    ],
    "reference": None,
}

CLAIMS: dict[str, Any] = {
    "claims": [
        {
            "number": 4,
            "claim": "tanh converges faster than sigmoid.",
            "rule": "V(A_sigmoid - A_tanh, ln 1.05)",
            "verdict": "undecided",
            "missing": ["5 seeds with a value; there are 3 (sigmoid and tanh)"],
            "parts": [
                {
                    "title": "A(sigmoid) - A(tanh)",
                    "verdict": "undecided",
                    "context": {"dataset": "mnist_5k", "epochs": 3},
                    "n": 3,
                    "mean": 0.412,
                    "interval": None,
                    "confidence": None,
                    "unit": "ln nats",
                    "limit": 0.0488,
                    "missing": ["5 seeds with a value; there are 3 (sigmoid and tanh)"],
                    "evidence": [
                        {
                            "factors": {"activation": "sigmoid"},
                            "seeds": [0],
                            "experiments": ["0198c1d2-7e51-7c44-9f3a-1b2c3d4e5f60"],
                        },
                    ],
                },
            ],
            "notes": [],
        },
    ],
}
