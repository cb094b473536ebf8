"""The models of a comparison, as the API returns it."""

from functools import cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comparisons.cells import Factor
from service.domain.statistics.exact import Rates
from service.domain.statistics.summary import Interval
from service.domain.statistics.t_tests import TestName

ALPHA = 0.05
POWER = 0.8

Verdict = Literal["better", "worse", "equivalent", "undecided", "undecided (diverged)", "not tested"]
"""A verdict describes group a relative to group b.

* `better`, `worse`: the means differ, significantly within the family.
* `equivalent`: no difference was found, and one larger than the margin is excluded.
* `undecided`: neither was shown.
* `undecided (diverged)`: runs of a side diverged, so that there is no test.
* `not tested`: too few seeds.
"""

Correction = Literal["Holm", "Shaffer"]

Finding = Literal["difference", "equivalence"]


class Figures(BaseModel):
    # A NaN is refused here, since JSON has no text for it.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def unchecked(cls, values: dict[str, Any]) -> Self:
        """Return the model of `values` without validating them, which takes a tenth of the time of a pair.

        `values` holds every field, finite and of its type. What is set is what pydantic's `model_construct` sets, which
        takes longer than validation.
        """
        model = cls.__new__(cls)
        object.__setattr__(model, "__dict__", values)
        object.__setattr__(model, "__pydantic_fields_set__", _names_of(cls))
        object.__setattr__(model, "__pydantic_extra__", None)
        object.__setattr__(model, "__pydantic_private__", None)
        return model


@cache
def _names_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)  # shared by all models of the class, which are frozen


class Group(Figures):
    """One cell, a combination of factors, over its seeds. Every experiment counts in exactly one of the five n."""

    factors: dict[str, Factor]
    names: list[dict[str, Factor]] = Field(
        description="The factors of every group whose runs are equal to these bit for bit, such as those of swish and"
        " silu: they are one group. The first are `factors`."
    )
    n: int = Field(description="Seeds with a value.")
    n_duplicate: int = Field(description="Ended experiments whose place another one of the same spec and seed takes.")
    n_diverged: int = Field(description="Seeds whose loss, or this figure, became infinite or NaN.")
    n_failed: int = Field(description="Seeds that ended without a value for any other reason, cancelled ones included.")
    n_pending: int = Field(description="Experiments that are queued or running.")
    mean: float | None
    sd: float | None = Field(description="Over seeds, with n - 1; null for n < 2.")
    median: float | None
    min: float | None
    max: float | None
    interval: Interval | None = Field(
        description="Student-t 95% interval of the mean over seeds, within the figure's scale; null for n < 2."
    )
    test_image_interval: Interval | None = Field(
        None,
        description="95% bootstrap interval over test images; null for a metric that is no accuracy, and for more than"
        " 2,000 experiments with a result.",
    )
    seeds: dict[int, float] | None = Field(None, description="With `seeds=true`, the value of each seed.")
    rank: tuple[int, int] = Field((1, 1), description="Best and worst rank that the family's verdicts leave open.")


class SeedsToDecide(Figures):
    """An estimate of the seeds after which an undecided pair is decided with 80% power.

    It takes the observed difference and spread for the true ones, and both are uncertain with few seeds. Of a finding
    of a difference and one of equivalence, it is the one that takes fewer.
    """

    more: int | None = Field(description="Further seeds a group; null where no number up to 100,000 suffices.")
    n: int = Field(description="Seeds that the estimate rests on.")
    finding: Finding | None = Field(description="What so many seeds would show.")
    power: float = POWER
    estimate: Literal[True] = True


class Pair(Figures):
    """Group a against group b.

    Where a side has diverged runs, the surviving ones are a selected sample, and only the difference of the means is
    given. Without a test (too few seeds) the verdict is `not tested`.
    """

    a: dict[str, Factor]
    b: dict[str, Factor]
    test: TestName | None = None
    difference: float | None = Field(None, description="Mean of a minus mean of b; over the common seeds where paired.")
    interval: Interval | None = Field(None, description="Simultaneous; null without a test or without any spread.")
    p: float | None = None
    p_adjusted: float | None = Field(
        None, description="p adjusted for the family by its `p_correction`. The pair differs where it is at most alpha."
    )
    p_holm: float | None = Field(
        None, description="p adjusted after Holm. `p_adjusted` decides, which is never larger and often the same."
    )
    p_attainable: float | None = Field(None, description="The smallest p that an exact rank test reaches at this n.")
    hedges_g: float | None = Field(None, description="Difference in units of the sd between seeds; null without one.")
    wilcoxon_p: float | None = Field(
        None,
        description="Exact signed-rank p beside a paired t of 6 to 50 seeds, not adjusted for the family. Shown, and"
        " never decides.",
    )
    probability_of_improvement: float | None = Field(
        None, description="Share of pairs of runs in which that of a is the better one; a tie counts half."
    )
    p_equivalence: float | None = Field(
        None,
        description="p of two one-sided tests that the difference lies within the margin, adjusted after Holm for the"
        " family; null without a margin or a test.",
    )
    within_margin: bool | None = Field(
        None,
        description="The difference lies within the margin, significantly within the family; null without a margin or a"
        " test. A pair may be better and within the margin: better, but by less than matters.",
    )
    verdict: Verdict = Field(
        description="Of a relative to b. A significant difference decides first; of the other pairs those within the"
        " margin are equivalent."
    )
    interval_disagrees: bool = Field(
        False, description="The pair differs by its adjusted p, yet its interval contains 0."
    )
    seeds_to_decide: SeedsToDecide | None = Field(None, description="Of an undecided pair with at least 3 seeds.")
    diverged: Rates | None = Field(None, description="Shares of diverged runs among those that came to an end.")


class Family(Figures):
    """The tests that are corrected together."""

    metric: str
    title: str
    unit: str
    higher_is_better: bool
    pairs: int
    versus: dict[str, Factor] | None = Field(
        description="The group that all others are compared with; null: all pairs."
    )
    reference: dict[str, Factor] | None = Field(
        None,
        description="The reference of the study, if it is one of the groups. Where `versus` is another group or null,"
        " this is another family of tests than the study's own.",
    )
    alpha: float = ALPHA
    p_correction: str = Field("Holm", description="Shaffer for all pairs, Holm for pairs with one group.")
    interval_correction: str = "Bonferroni"
    interval_confidence: float = Field(description="Level of each pair's interval: 1 - alpha / pairs.")
    disagreements: int = Field(
        0, description="Pairs that differ by their adjusted p, though their interval contains 0."
    )
    margin: float | None = Field(
        None,
        description="The largest difference that does not matter: of accuracies, or as a share of other figures; null"
        " where it was switched off.",
    )
    relative_margin: bool = Field(False, description="The margin is a share of the figure.")
    decision: str = Field("", description="How pairs are decided, in words.")
    intervals: str = (
        "A group's interval is over seeds: where the mean of other trainings on these test images would lie. Its"
        " test_image_interval is over test images: where the accuracy of these trained networks would lie on other"
        " images of the same kind."
    )


class SeedsNeeded(Figures):
    """An estimate, from n >= 5, of the seeds that a study would need to find the difference of a pair.

    The pair is that of the two best groups or, in a family with a reference, of the best other group and the reference.

    It takes the observed difference and spread for the true ones, and both are uncertain.
    """

    a: dict[str, Factor]
    b: dict[str, Factor]
    n: int = Field(description="Seeds that the estimate rests on.")
    seeds: int | None = Field(description="Per group; null where there is no difference or spread, or beyond 100,000.")
    power: float = POWER
    alpha: float = Field(description="The family's alpha over its pairs, as the first step of the correction asks.")
    estimate: Literal[True] = True


class Level(Figures):
    """One value of a factor, averaged over the values of all the others."""

    value: Factor
    mean: float
    interval: Interval | None = Field(description="Student-t 95% interval over seeds; null for n < 2.")


class Effect(Figures):
    """The main effect of one factor: marginal means of its levels.

    All levels are averaged over the same combinations of the other factors and the same seeds. `range` is the largest
    difference between two levels; its interval holds for all differences of this factor's levels together (Bonferroni),
    so that factors can be compared with each other.
    """

    factor: str
    levels: list[Level] = Field(description="Best mean first.")
    n: int = Field(description="Seeds that every cell has a value for; each gives one mean a level.")
    n_left_out: int = Field(description="Seeds left out, since some cell has no value for them.")
    combinations: int = Field(description="Combinations of the other factors that each mean averages over.")
    n_combinations_left_out: int = Field(description="Combinations left out, since some level has no value there.")
    range: float | None = Field(description="Mean of the best level minus mean of the worst.")
    range_interval: Interval | None = Field(description="Paired by seed; null for n < 2 or without any spread.")
    reason: str | None = Field(None, description="Why there are no means, where there are none.")


class Comparison(Figures):
    metric: str
    groups: list[Group] = Field(description="Best mean first; groups without a value last.")
    pairs: list[Pair]
    family: Family
    summary: list[str] = Field(
        [],
        description="What the verdicts say, and the family that they belong to, in sentences: those of the pages, the"
        " command and the report.",
    )
    seeds_needed: SeedsNeeded | None = Field(None, description="Null below 5 seeds, and where runs diverged.")
    effects: list[Effect] = Field([], description="Of each factor, where the groups differ in more than one.")
