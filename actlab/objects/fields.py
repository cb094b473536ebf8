"""The fields of answers, from the OpenAPI document.

Written by `make types`; a test fails when it is not current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actlab.objects.record import Record

if TYPE_CHECKING:  # making them takes longer than any module of the client
    from typing import Any, Literal, TypedDict

    Cause = Literal[
        "diverged", "out_of_memory", "worker_lost", "timeout", "invalid_data", "internal_error", "cancelled"
    ]

    Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]

    class AdviceView(TypedDict):
        text: str
        source: str

    class Choice(TypedDict):
        """The rate that a cell is ranked with."""

        factors: dict[str, str | int | float | bool | None]
        """Which cell."""
        learning_rate: float | None
        """Null where no rate worked: the cell is not ranked."""
        at_edge: bool
        """The best is the least or the greatest that was tried: a better one may lie beyond."""
        scores: list[RateScore]

    class ClassFigures(TypedDict):
        """Figures of one class, of the last epoch's weights. A ratio with an empty denominator is None."""

        label: int
        support: int
        precision: float | None
        recall: float | None
        f1: float | None

    class Curve(TypedDict):
        """The mean curve of one group. All lists have one entry an epoch, for as many epochs as its longest run has
        done."""

        factors: dict[str, str | int | float | bool | None]
        epochs: list[int]
        mean: list[float | None]
        """Over the n seeds with a finite figure at that epoch; null for none."""
        low: list[float | None]
        """Student-t 95% interval of the mean over seeds, within the figure's scale; null for n < 2."""
        high: list[float | None]
        n: list[int]
        """Falls where runs are under way, stopped early or diverged; the mean then jumps."""
        n_non_finite: list[int]
        """Seeds whose figure at that epoch was infinite or NaN."""
        n_diverged: int
        """Seeds that diverged: from there on, the mean is of the survivors."""
        seconds: list[float] | None
        """Training time until the end of that epoch: the sum of each epoch's mean over the seeds that trained it,
        so that it only grows; null where kinds of device are mixed."""
        reached: Reached | None
        """With `level`: when its runs got there."""
        seeds: dict[str, list[float | None]] | None
        """With `seeds=true`, the figures of each; null where not finite, or not there (yet)."""

    class Detectable(TypedDict):
        """The smallest difference that a study, or one of its grids, probably finds."""

        grid: str | None
        """The grid, of a study with several."""
        metric: Literal["test_accuracy"]
        seeds: int
        groups: int
        pairs: int
        """Tests in the family: with the study's reference, or of all pairs."""
        power: float
        alpha: float
        difference: float | None
        """Detected with this power where groups have the median spread; null for one seed or one group."""
        difference_widest: float | None
        """The same where one of the two groups has the largest spread."""
        spreads_known: int
        """Groups whose spread is that of earlier runs; for 0 it is assumed."""
        text: str

    class Effect(TypedDict):
        """The main effect of one factor: marginal means of its levels. All levels are averaged over the same
        combinations of the other factors and the same seeds. `range` is the largest difference between two levels;
        its interval holds for all differences of this factor's levels together (Bonferroni), so that factors can be
        compared with each other."""

        factor: str
        levels: list[Level]
        """Best mean first."""
        n: int
        """Seeds that every cell has a value for; each gives one mean a level."""
        n_left_out: int
        """Seeds left out, since some cell has no value for them."""
        combinations: int
        """Combinations of the other factors that each mean averages over."""
        n_combinations_left_out: int
        """Combinations left out, since some level has no value there."""
        range: float | None
        """Mean of the best level minus mean of the worst."""
        range_interval: list[float] | None
        """Paired by seed; null for n < 2 or without any spread."""
        reason: str | None
        """Why there are no means, where there are none."""

    class EpochView(TypedDict):
        """The figures of one epoch. Losses are means per image in nats, accuracies fractions. `non_finite` names
        the figures that were infinite or NaN; they are null."""

        epoch: int
        attempt: int
        train_loss: float | None
        """Mean cross-entropy over the epoch's batches, dropout on, in nats."""
        train_accuracy: float | None
        """Accuracy over the same batches, a fraction."""
        validation_loss: float | None
        """Cross-entropy on the validation images, in nats."""
        validation_accuracy: float | None
        """Accuracy on the validation images, a fraction."""
        l2: float | None
        """L2 term at the end of the epoch."""
        learning_rate: float
        """Learning rate of the epoch."""
        seconds: float
        """Training time of the epoch in seconds."""
        images_per_second: float
        """Pace of the epoch."""
        non_finite: list[str]

    class EstimatedCost(TypedDict):
        """The memory that a formula's operations need, and an estimate of their time from measurements of each
        operation on one processor."""

        nodes: int
        """Numbers, names and operations of the formula."""
        fused: bool
        """Whether training uses a kernel made for this function."""
        time_ratio: float
        """Estimated time of the activation, forward and backward, divided by ReLU's; 1 where fused. Other parts of
        a training step are not included."""
        intermediate_tensors: int
        """Tensors that are kept for the backward pass, those of one byte an element included."""
        bytes_per_element: int
        """Bytes of those tensors for each element of the activation's input."""
        bytes_per_batch: int
        """Bytes of those tensors in all layers of the default network for a batch."""

    class Family(TypedDict):
        """The tests that are corrected together."""

        metric: str
        title: str
        unit: str
        higher_is_better: bool
        pairs: int
        versus: dict[str, str | int | float | bool | None] | None
        """The group that all others are compared with; null: all pairs."""
        reference: dict[str, str | int | float | bool | None] | None
        """The reference of the study, if it is one of the groups. Where `versus` is another group or null, this is
        another family of tests than the study's own."""
        alpha: float
        p_correction: str
        """Shaffer for all pairs, Holm for pairs with one group."""
        interval_correction: str
        interval_confidence: float
        """Level of each pair's interval: 1 - alpha / pairs."""
        disagreements: int
        """Pairs that differ by their adjusted p, though their interval contains 0."""
        margin: float | None
        """The largest difference that does not matter: of accuracies, or as a share of other figures; null where it
        was switched off."""
        relative_margin: bool
        """The margin is a share of the figure."""
        decision: str
        """How pairs are decided, in words."""
        intervals: str

    class Fingerprint(TypedDict):
        """Everything that must be equal for two runs of one spec to agree bit for bit."""

        torch: str
        numpy: str
        device: str
        device_name: str
        instruction_set: str
        threads: int
        precision: str
        execution: str
        code: str
        mixed: bool

    class Grid(TypedDict):
        """One of several grids of a study: its base goes over the study's, its factors add to the study's."""

        name: str
        base: dict[str, Any]
        """Spec fields that the experiments of this grid share."""
        factors: dict[str, list[Any]]
        """Dotted spec paths, each with the values to try."""
        seeds: list[int] | None
        """Null takes the study's seeds, those added later included."""

    class Group(TypedDict):
        """One cell, a combination of factors, over its seeds. Every experiment counts in exactly one of the five
        n."""

        factors: dict[str, str | int | float | bool | None]
        names: list[dict[str, str | int | float | bool | None]]
        """The factors of every group whose runs are equal to these bit for bit, such as those of swish and silu:
        they are one group. The first are `factors`."""
        n: int
        """Seeds with a value."""
        n_duplicate: int
        """Ended experiments whose place another one of the same spec and seed takes."""
        n_diverged: int
        """Seeds whose loss, or this figure, became infinite or NaN."""
        n_failed: int
        """Seeds that ended without a value for any other reason, cancelled ones included."""
        n_pending: int
        """Experiments that are queued or running."""
        mean: float | None
        sd: float | None
        """Over seeds, with n - 1; null for n < 2."""
        median: float | None
        min: float | None
        max: float | None
        interval: list[float] | None
        """Student-t 95% interval of the mean over seeds, within the figure's scale; null for n < 2."""
        test_image_interval: list[float] | None
        """95% bootstrap interval over test images; null for a metric that is no accuracy, and for more than 2,000
        experiments with a result."""
        seeds: dict[str, float] | None
        """With `seeds=true`, the value of each seed."""
        rank: list[int]
        """Best and worst rank that the family's verdicts leave open."""

    class InitialisationView(TypedDict):
        name: str
        """The initialisation that `model.init: recommended` uses."""
        source: str

    class LayerView(TypedDict, total=False):
        """The diagnostics of one layer after one epoch. Measures that the request does not select are left out. A
        measure is null if it is not defined for the activation, if it was not taken, or if it was infinite or NaN;
        `non_finite` names the last kind."""

        epoch: int
        """Epoch; 0 is the network at initialisation."""
        layer: str
        """Name of the layer: `conv1`, `conv2`, `dense1` to `dense20`, `output`."""
        position: int
        """Place of the layer, from 0 at the input."""
        units: int
        """Channels or neurons."""
        zero_share: float | None
        """Share of the elements after the activation that are exactly 0."""
        saturated_share: float | None
        """Share of the elements where the activation is flat: its slope is at most 0.005 of the steepest."""
        dead_share: float | None
        """Share of the units that are below 0 and saturated for every image of the probe; only for functions flat
        on the left."""
        dead_share_confirmed: float | None
        """Share of the units that are dead for every image of the training set; only at the last epoch."""
        inactive_share: float | None
        """Share of the units that are never above 0; only for functions flat, or less steep, on the left."""
        mean_before: float | None
        """Mean of the elements before the activation, over images, positions and units."""
        sd_before: float | None
        """Standard deviation of the same elements."""
        mean_after: float | None
        """Mean of the elements after the activation, before pooling."""
        sd_after: float | None
        """Standard deviation of the same elements."""
        gradient_norm: float | None
        """Euclidean norm of the cross-entropy's gradient by the layer's kernel, without L2."""
        gradient_rms: float | None
        """The same per weight: the norm / sqrt(weights)."""
        update_ratio: float | None
        """Norm of the epoch's last step over that of the kernel, L2 included; null at epoch 0."""
        unchanged: bool | None
        """Whether every parameter of the layer still has the bits it started with."""
        parameters: dict[str, float | None]
        """Learned parameters of the activation, by name."""
        non_finite: list[str]
        """Measures that were infinite or NaN, which are null."""
        attempt: int

    class Level(TypedDict):
        """One value of a factor, averaged over the values of all the others."""

        value: str | int | float | bool | None
        mean: float
        interval: list[float] | None
        """Student-t 95% interval over seeds; null for n < 2."""

    class LinearCollapse(TypedDict):
        """The distance of a network of linear layers from one linear layer, in evaluation mode and float64."""

        inputs: int
        """Images that x W + b was found from: a black one, and one for each pixel."""
        images: int
        """Test images whose logits were compared."""
        largest_difference: float | None
        """Of a logit; null where it is not finite."""
        collapsed: bool
        """Whether it is at most 1e-6."""

    class Pair(TypedDict):
        """Group a against group b. Where a side has diverged runs, the surviving ones are a selected sample, and
        only the difference of the means is given. Without a test (too few seeds) the verdict is `not tested`."""

        a: dict[str, str | int | float | bool | None]
        b: dict[str, str | int | float | bool | None]
        test: Literal["paired t", "Welch t", "Welch t of log errors"] | None
        difference: float | None
        """Mean of a minus mean of b; over the common seeds where paired."""
        interval: list[float] | None
        """Simultaneous; null without a test or without any spread."""
        p: float | None
        p_adjusted: float | None
        """p adjusted for the family by its `p_correction`. The pair differs where it is at most alpha."""
        p_holm: float | None
        """p adjusted after Holm. `p_adjusted` decides, which is never larger and often the same."""
        p_attainable: float | None
        """The smallest p that an exact rank test reaches at this n."""
        hedges_g: float | None
        """Difference in units of the sd between seeds; null without one."""
        wilcoxon_p: float | None
        """Exact signed-rank p beside a paired t of 6 to 50 seeds, not adjusted for the family. Shown, and never
        decides."""
        probability_of_improvement: float | None
        """Share of pairs of runs in which that of a is the better one; a tie counts half."""
        p_equivalence: float | None
        """p of two one-sided tests that the difference lies within the margin, adjusted after Holm for the family;
        null without a margin or a test."""
        within_margin: bool | None
        """The difference lies within the margin, significantly within the family; null without a margin or a test.
        A pair may be better and within the margin: better, but by less than matters."""
        verdict: Literal["better", "worse", "equivalent", "undecided", "undecided (diverged)", "not tested"]
        """Of a relative to b. A significant difference decides first; of the other pairs those within the margin
        are equivalent."""
        interval_disagrees: bool
        """The pair differs by its adjusted p, yet its interval contains 0."""
        seeds_to_decide: SeedsToDecide | None
        """Of an undecided pair with at least 3 seeds."""
        diverged: Rates | None
        """Shares of diverged runs among those that came to an end."""

    class ParameterView(TypedDict):
        """A parameter of an activation function and its bounds."""

        name: str
        default: float
        minimum: float
        maximum: float
        learnable: bool
        """Whether it is trained by default."""
        may_learn: bool
        """Whether a spec may train it."""

    class Properties(TypedDict):
        """The properties of a function f. One that is not defined is null: all of softmax, which is no function of
        one number; a bound of an unbounded f; a slope at a kink; and, of an f without a value for some x, those
        that depend on all x. An f that only overflows, as exp(x) does in float32 from 88.7 on, has those of the
        function itself."""

        defined: bool | None
        """Whether f has a value for every x from -1e4 to 1e4, and it and the slope are finite in float32."""
        undefined: list[list[float | None]] | None
        """Intervals of x without a value, or in which training overflows in float32, as [from, to], at most the 9
        nearest to 0. Both ends are equal for a single point such as a pole; an end is null where the interval goes
        on beyond 1e4."""
        range: list[float | None] | None
        """Infimum and supremum of f, which it need not reach; null where unbounded."""
        bounded: bool | None
        monotonic: Literal["constant", "non_decreasing", "non_increasing", "neither"] | None
        differentiable_at_0: bool | None
        value_at_0: float | None
        """f(0)."""
        slope_at_0: float | None
        """f'(0); null at a kink."""
        near_identity: bool | None
        """f(0) = 0 and f'(0) = 1, so that f(x) ~ x at 0."""
        largest_slope: float | None
        """Supremum of |f'|, by the one-sided slopes at a kink."""
        mean_of_normal: float | None
        """E f(Z) for Z ~ N(0, 1)."""
        zero_centred: bool | None
        """|E f(Z)| < 1e-6."""
        saturating_sides: list[Literal["left", "right"]] | None
        """Sides on which f' tends to 0."""

    class PublishedCurve(TypedDict):
        factors: dict[str, str | int | float | bool | None]
        epochs: list[int]
        values: list[float]

    class RateScore(TypedDict):
        """The score of one rate in one cell."""

        learning_rate: float
        n: int
        """Seeds that succeeded."""
        n_diverged: int
        """Seeds that diverged: one is enough to rule a rate out."""
        validation_accuracy: float | None
        """Mean at the last epoch; a fraction."""
        validation_loss: float | None
        """Mean at the last epoch, in nats."""

    class Rates(TypedDict):
        """The shares of events on two sides, None where a side is empty, and Fisher's exact p that both share one
        rate."""

        rate_a: float | None
        rate_b: float | None
        fisher_p: float

    class Reached(TypedDict):
        """The time that a group's runs took to a level: medians after Kaplan and Meier. A run that ended without
        reaching the level, or has not reached it yet, counts as one that takes longer. Null where fewer than half
        are known to have reached it."""

        level: float
        n: int
        n_reached: int
        median_epochs: float | None
        median_seconds: float | None
        """Of training; null too where kinds of device are mixed."""

    class Reference(TypedDict):
        """The published curves of one figure. They are of one unseeded run per activation, so there is no
        interval."""

        name: Literal["kizrak-2019"]
        source: str
        metric: str
        """The published figure that the metric is set beside."""
        curves: list[PublishedCurve]
        defects: list[str]
        """What is wrong with the published experiment."""
        comparability: list[str]
        """What to mind when setting these figures beside one's own."""
        differs: list[str]
        """Spec fields in which the experiments differ from the article's protocol."""

    class ScoreView(TypedDict):
        """The scores on the test set of the weights after one epoch."""

        epoch: int
        test_loss: float | None
        test_accuracy: float
        interval: list[float]
        """Wilson 95% interval of the accuracy over the test images, not over seeds."""

    class SeedsNeeded(TypedDict):
        """An estimate, from n >= 5, of the seeds that a study would need to find the difference of a pair. The pair
        is that of the two best groups or, in a family with a reference, of the best other group and the reference.
        It takes the observed difference and spread for the true ones, and both are uncertain."""

        a: dict[str, str | int | float | bool | None]
        b: dict[str, str | int | float | bool | None]
        n: int
        """Seeds that the estimate rests on."""
        seeds: int | None
        """Per group; null where there is no difference or spread, or beyond 100,000."""
        power: float
        alpha: float
        """The family's alpha over its pairs, as the first step of the correction asks."""
        estimate: bool

    class SeedsToDecide(TypedDict):
        """An estimate of the seeds after which an undecided pair is decided with 80% power. It takes the observed
        difference and spread for the true ones, and both are uncertain with few seeds. Of a finding of a difference
        and one of equivalence, it is the one that takes fewer."""

        more: int | None
        """Further seeds a group; null where no number up to 100,000 suffices."""
        n: int
        """Seeds that the estimate rests on."""
        finding: Literal["difference", "equivalence"] | None
        """What so many seeds would show."""
        power: float
        estimate: bool

    class TuningView(TypedDict):
        """The tuning of a study's learning rates, and its outcome."""

        rates: list[float]
        """Learning rates to try."""
        seeds: list[int]
        """Seeds to try them with; none of them is among the study's."""
        study: str
        """The study that tries the rates; it has its own progress, comparison and curves."""
        tuned_at: str | None
        """The time at which the rates were chosen and the ranking was queued."""
        choices: list[Choice]
        """The chosen rate of each cell; empty until all trials have ended."""


class ActivationFields(Record):
    """A function of the catalogue, or a version of a registered formula. The derivative and properties are
    those at the default parameters."""

    name: str
    version: int | None
    """The version of a registered formula; null for a function of the catalogue."""
    newest_version: int | None
    """The newest version; all versions from 1 to it can be read."""
    title: str
    formula: str
    """The formula, which a spec may use instead of the name."""
    computed_as: str
    """The same function in the form that is evaluated, which keeps more digits."""
    same_as: str | None
    """The equal function of the catalogue, whose fast kernel is used; null without one."""
    latex: str
    derivative: str | None
    """f'(x) as a formula; null for softmax, which has a Jacobian."""
    derivative_latex: str | None
    parameters: list[ParameterView]
    properties: Properties
    recommended_initialisation: InitialisationView
    advice: AdviceView | None
    """When to use it, with the source; null for registered formulas."""
    known_problem: AdviceView | None
    """A known problem, with the source; null without one and for registered formulas."""
    named_in_article: bool
    note: str | None
    estimated_cost: EstimatedCost
    created_at: str | None
    """The time at which this version was registered."""
    archived_at: str | None
    """The time at which the name was archived; new specs cannot use it."""


class ComparisonFields(Record):
    metric: str
    groups: list[Group]
    """Best mean first; groups without a value last."""
    pairs: list[Pair]
    family: Family
    summary: list[str]
    """What the verdicts say, and the family that they belong to, in sentences: those of the pages, the command
    and the report."""
    seeds_needed: SeedsNeeded | None
    """Null below 5 seeds, and where runs diverged."""
    effects: list[Effect]
    """Of each factor, where the groups differ in more than one."""


class ActivationCurveFields(Record):
    """Points of a graph, in float64. y and dy are null where they are not finite, and everywhere for softmax,
    which is not a function of one number."""

    x: list[float]
    y: list[float | None]
    """f(x)."""
    dy: list[float | None]
    """f'(x); at a kink, the value that torch's autograd uses."""


class CurvesFields(Record):
    metric: Literal[
        "validation_accuracy",
        "train_accuracy",
        "validation_loss",
        "train_loss",
        "validation_total_loss",
        "train_total_loss",
        "l2",
        "learning_rate",
    ]
    title: str
    unit: str
    higher_is_better: bool | None
    """Null for what is neither good nor bad."""
    groups: list[Curve]
    """By their factors, in an order that does not change while runs go on."""
    reference: Reference | None


class DiagnosticsFields(Record):
    """The diagnostics of an experiment's layers, epoch by epoch."""

    valid_through_epoch: int
    """Drop epochs after this one: a resumed attempt trains them again."""
    revision: int
    """Send it as `since` to get only what changes after this answer."""


class ExperimentFields(Record):
    """One training run of one spec with one seed."""

    id: str
    name: str | None
    status: Status
    cause: Cause | None
    """The cause of a failure or cancellation."""
    detail: str | None
    """A description of what happened."""
    remedy: str | None
    """What to do about the cause."""
    waiting_reason: str | None
    """The reason why it waits, while it is queued."""
    queue_position: int | None
    """Its place in the queue, while it is queued; 1 is next."""
    cancel_requested: bool
    attempt: int
    lost_count: int
    """Lost attempts since the last finished epoch."""
    study_id: str | None
    created_by: str
    """The id of the key that submitted it; `local` without keys."""
    activation_label: str
    """The activation as filters and comparisons name it: relu, swish(beta=2)."""
    spec: dict[str, Any]
    """The spec with every default filled in."""
    tags: list[str]
    notes: str | None
    priority: int
    epochs_done: int
    test_accuracy: float | None
    """Test accuracy of the last epoch's weights; a fraction."""
    test_loss: float | None
    """Mean cross-entropy per test image, in nats."""
    best_epoch: int | None
    """The epoch with the lowest validation loss."""
    best_test_accuracy: float | None
    best_test_loss: float | None
    validation_accuracy: float | None
    """Validation accuracy at the last epoch; a fraction."""
    validation_loss: float | None
    """Mean cross-entropy per validation image at the last epoch, in nats."""
    best_validation_accuracy: float | None
    """Validation accuracy at `best_epoch`."""
    best_validation_loss: float | None
    """Validation loss at `best_epoch`, the lowest of all epochs."""
    seconds: float | None
    """Training time of the attempt that finished, in seconds."""
    early_loss: float | None
    """Mean validation loss at 20 even checks within epochs 1 and 2: the lower, the faster it learned. Null for
    one epoch, and without diagnostics."""
    images_per_second: float | None
    """Images trained per second; the median over the epochs."""
    retry_of: str | None
    edit_version: int
    """Send it in If-Match, so that PATCH fails if somebody else has edited since."""
    created_at: str
    started_at: str | None
    finished_at: str | None
    archived_at: str | None
    """The time since when lists leave it out."""
    revision: int
    """It rises with every change. Revisions of all records come from one sequence."""


class MetricsFields(Record):
    """The figures of an experiment's epochs."""

    valid_through_epoch: int
    """Drop epochs after this one: a resumed attempt trains them again."""
    revision: int
    """Send it as `since` to get only what changes after this answer."""


class ResultFields(Record):
    """The result of an experiment that succeeded."""

    last: ScoreView
    """The primary score: the last epoch's weights."""
    best: ScoreView
    """The secondary score: the weights with the lowest validation loss."""
    per_class: list[ClassFigures]
    confusion_matrix: list[list[int]]
    """Numbers of test images; rows are true classes, columns predicted classes."""
    fingerprint: Fingerprint
    checksum: str | None
    """SHA-256 of the last and best weights and of which test images they classify correctly: equal for runs
    that are equal bit for bit. Null for results of 0.1.0."""
    collapse: LinearCollapse | None
    """For a network of linear layers only (activation linear, average pooling): how far it is from one linear
    layer. Null for other networks, and without diagnostics."""


class StudyPlanFields(Record):
    """The size of a study and its estimated duration. Nothing is stored."""

    cells: int
    """The number of combinations of the factors' values, over all grids."""
    experiments: int
    """The number of experiments: cells times their seeds."""
    reused: int
    """The number of experiments that have been trained already, with `reuse`. For a study that tunes, only
    those that try learning rates count, since the others depend on the chosen rates."""
    tuning_experiments: int
    """The number of experiments that try learning rates, before the others."""
    train_seconds: float | None
    """Estimated training time of all experiments together, in seconds; null while unknown."""
    seconds: float | None
    """Estimated seconds from the first start to the last end; null while unknown."""
    workers: int
    """The number of workers that are alive."""
    basis: str
    """The basis of the estimate, or the reason why there is none."""
    detectable: list[Detectable]
    """The differences that so many seeds probably find, for the study or for each of its grids."""


class StudyFields(Record):
    """A grid of experiments that share a question."""

    id: str
    name: str | None
    question: str | None
    notes: str | None
    """Notes in Markdown."""
    tags: list[str]
    preset: str | None
    created_by: str
    """The id of the key that submitted it; `local` without keys."""
    base: dict[str, Any]
    factors: dict[str, list[Any]]
    grids: list[Grid]
    """The grids of a study with several. The base of a grid overrides `base`."""
    seeds: list[int]
    tuning: TuningView | None
    """The tuning, for a study that tunes the learning rate of each cell first."""
    reference: str | bool | int | float | dict[str, Any] | None
    """The group that comparisons of the study compare the others with, written as `versus` of a comparison: the
    value of the only factor, or an object of factors; null compares all pairs."""
    reuse: bool
    """Whether it counts finished experiments of other studies."""
    tunes: str | None
    """The study for which this one tries learning rates."""
    activations: dict[str, int]
    """The version of each registered activation that the spec names without one. Seeds added later use it
    too."""
    experiments: int
    """The number of its experiments."""
    progress: dict[str, int]
    """The number of experiments in each status."""
    retryable: int
    """The number of its own experiments that failed or were lost and have not been retried, which `POST
    /studies/{id}/retry` queues again."""
    finished: bool
    eta_seconds: float | None
    """Estimated seconds until it finishes, at the pace so far; null while unknown."""
    cancelled_at: str | None
    """The time at which the study was cancelled."""
    archived_at: str | None
    """The time since when lists leave it out."""
    edit_version: int
    """Send it in If-Match, so that PATCH fails if somebody else has edited since."""
    created_at: str
    revision: int
