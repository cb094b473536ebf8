"""Measure how much too high the accuracy of the chosen group is, chosen on the test images and on validation images.

python -m benchmarks.choice_optimism [--studies 2000]

Groups have a true accuracy on new images. Each run classifies the same validation and test images: an image has a
difficulty for all runs, one for the runs of a group, and one for a run. A study chooses the group with the highest mean
over seeds. Optimism is the mean test accuracy of the chosen group minus its true accuracy. All seeds of a group score
the same test images, so that more seeds do not remove it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import typer
from numpy.typing import NDArray

SEED = 20_190_514
ACCURACY = 0.96
OF_GROUP, OF_RUN = 0.05, 0.02
"""Shares of the variance of an image's difficulty; the rest is common to all runs. The accuracy of runs of one group
then has a sd of 0.0025 over 1,000 images, as relu and swish have on mnist_5k."""

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The design of a study. `spread` is the sd of the groups' true accuracies."""

    title: str
    groups: int
    seeds: int = 5
    validation_images: int = 400
    test_images: int = 1_000
    spread: float = 0.0


@dataclass(frozen=True)
class Choice:
    """Means over studies, as fractions: the optimism of the test accuracy of the chosen group, and the true accuracy of
    the best group minus that of the chosen one."""

    optimism: float
    true_loss: float


DESIGNS = {
    design.title: design
    for design in (
        Design("5 equal groups, 3 seeds", 5, seeds=3),
        Design("5 equal groups, 5 seeds", 5),
        Design("5 equal groups, 10 seeds", 5, seeds=10),
        Design("30 equal groups, 5 seeds", 30),
        Design("5 equal groups, 10,000 test images", 5, validation_images=6_000, test_images=10_000),
        Design("5 groups that differ (sd 0.25 pp)", 5, spread=0.0025),
        Design("30 groups that differ (sd 0.25 pp)", 30, spread=0.0025),
    )
}


def choices(design: Design, studies: int) -> Mapping[str, Choice]:
    """Return what choosing on each kind of images brings: `test` and `validation`."""
    rng = np.random.default_rng(SEED)
    drawn = [_study(design, rng) for _ in range(studies)]
    truth, validation, test = (np.array(part) for part in zip(*drawn, strict=True))
    return {name: _chosen(truth, test, by) for name, by in (("test", test), ("validation", validation))}


def _chosen(truth: Figures, test: Figures, by: Figures) -> Choice:
    studies, best = np.arange(len(by)), by.argmax(axis=1)
    optimism = test[studies, best] - truth[studies, best]
    return Choice(float(optimism.mean()), float((truth.max(axis=1) - truth[studies, best]).mean()))


def _study(design: Design, rng: np.random.Generator) -> tuple[Figures, Figures, Figures]:
    """Draw the true accuracy, and the mean validation and test accuracies, of each group."""
    truth = np.clip(rng.normal(ACCURACY, design.spread, design.groups), 0.5, 0.999)
    validation, test = (
        _mean_accuracies(design, truth, images, rng) for images in (design.validation_images, design.test_images)
    )
    return truth, validation, test


def _mean_accuracies(design: Design, truth: Figures, images: int, rng: np.random.Generator) -> Figures:
    """Draw the mean accuracy of each group over its seeds, (groups,), on one set of images."""
    common = np.sqrt(1 - OF_GROUP - OF_RUN) * rng.standard_normal((1, 1, images))
    of_group = np.sqrt(OF_GROUP) * rng.standard_normal((design.groups, 1, images))
    of_run = np.sqrt(OF_RUN) * rng.standard_normal((design.groups, design.seeds, images), dtype=np.float32)
    skill = np.array([NormalDist().inv_cdf(accuracy) for accuracy in truth])[:, None, None]
    means: Figures = (common + of_group + of_run < skill).mean(axis=(1, 2))
    return means


def main(studies: int = 2000) -> None:
    typer.echo(f"{studies} studies of each design; percentage points, means over studies")
    typer.echo(f"{'':<38}{'optimism, chosen on':^28}{'true loss, chosen on':^28}")
    typer.echo(f"{'':<38}{'test':>14}{'validation':>14}{'test':>14}{'validation':>14}")
    for title, design in DESIGNS.items():
        made = choices(design, studies)
        figures = [made[name].optimism for name in made] + [made[name].true_loss for name in made]
        typer.echo(f"{title:<38}" + "".join(f"{100 * figure:14.3f}" for figure in figures))


if __name__ == "__main__":
    typer.run(main)
