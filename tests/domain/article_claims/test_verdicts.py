"""Claims: each rule supports runs made to hold, refutes runs made not to, and else names what is missing."""

import json
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.article_claims.observations import Observations, Observed, fields, tuned
from service.domain.article_claims.verdicts import judge
from service.domain.presets import PRESETS
from service.domain.spec import ExperimentSpec
from service.domain.status import Cause, Status
from service.domain.study import StudySpec
from tests.domain.article_claims.runs import START, Runs, noisy
from tests.domain.later_spec import LaterSpec


def test_judge_without_runs_leaves_claims_undecided_and_names_the_missing_runs() -> None:
    claims = judge(Observations([])).claims
    assert [claim.number for claim in claims] == list(range(1, 13))
    for claim in claims[:-1]:
        assert claim.verdict == "undecided", claim.number
        assert claim.missing, claim.number
    json.dumps([claim.model_dump(mode="json") for claim in claims], allow_nan=False)


def tanh_and_sigmoid(tanh: float, **figures: Any) -> Runs:
    return Runs().add({"activation": "sigmoid"}, learning_speed=noisy(0.5)).add(
        {"activation": "tanh"}, **{"learning_speed": noisy(tanh, salt=1), **figures}
    )  # fmt: skip


def test_claim_4_tanh_converges_faster() -> None:
    assert tanh_and_sigmoid(0.1).claim(4).verdict == "supported"
    assert tanh_and_sigmoid(0.49).claim(4).verdict == "refuted"
    (part,) = tanh_and_sigmoid(0.1).claim(4).parts
    assert (part.n, part.unit) == (5, "ln nats")
    assert part.limit == pytest.approx(math.log(1.05))
    assert part.mean == pytest.approx(0.4, abs=0.005)
    assert [len(evidence.experiments) for evidence in part.evidence] == [5, 5]


def test_claim_names_the_reason_why_runs_are_no_evidence() -> None:
    diverged = {"status": Status.FAILED, "cause": Cause.DIVERGED, "unmeasured": False}
    runs = Runs().add({"activation": "sigmoid"}, learning_speed=noisy(0.5))
    runs.add({"activation": "tanh"}, range(4), learning_speed=noisy(0.1)).add({"activation": "tanh"}, [4], **diverged)
    claim = runs.claim(4)
    assert (claim.verdict, "1 of 5 did" in claim.missing[0]) == ("undecided", True)
    elsewhere = tanh_and_sigmoid(0.1, machine=("cuda", "bf16", "1")).claim(4)
    assert (elsewhere.verdict, "one kind of device" in elsewhere.missing[0]) == ("undecided", True)
    few = tanh_and_sigmoid(0.1, status=Status.RUNNING).claim(4)
    assert few.missing == ["5 seeds with a value; there are 0 (sigmoid and tanh)"]


def test_claim_uses_every_setting_of_the_articles_network() -> None:
    runs = tanh_and_sigmoid(0.1)
    for activation, speed in (("sigmoid", 0.5), ("tanh", 0.5)):
        runs.add({"activation": activation, "model": {"batch_norm": False}}, learning_speed=noisy(speed))
        runs.add({"activation": activation, "optimizer": {"name": "sgd"}}, learning_speed=noisy(speed))
    assert runs.claim(4).verdict == "supported"
    for activation in ("sigmoid", "tanh"):
        runs.add({"activation": activation, "dataset": "digits"}, learning_speed=noisy(0.5))
    claim = runs.claim(4)
    assert claim.verdict == "refuted"
    assert [part.context for part in claim.parts] == [{"dataset": "digits"}, {}]


def faster_relu(pace: float, start: timedelta = timedelta()) -> Runs:
    runs = Runs()
    for name, speed, images in (("relu", 0.1, pace), ("sigmoid", 0.5, 1000.0), ("tanh", 0.4, 1000.0)):
        later: dict[str, Any] = {} if name == "relu" else {
            "started": lambda seed: START + start + timedelta(minutes=seed),
            "finished": lambda seed: START + start + timedelta(minutes=seed + 1),
        }  # fmt: skip
        runs.add({"activation": name}, learning_speed=noisy(speed), images_per_second=noisy(images, 1.0), **later)
    return runs


def test_claim_5_relu_trains_faster() -> None:
    assert faster_relu(1000.0).claim(5).verdict == "supported"
    assert faster_relu(900.0).claim(5).verdict == "refuted"
    claim = faster_relu(1000.0, timedelta(hours=1)).claim(5)
    assert claim.verdict == "undecided"
    assert any("take turns" in text for text in claim.missing)


def test_step_times_are_judged_on_each_machine_alone() -> None:
    runs = faster_relu(1000.0)
    for name, pace in (("relu", 90.0), ("sigmoid", 100.0), ("tanh", 100.0)):
        runs.add({"activation": name}, range(5, 10), learning_speed=noisy(0.1 if name == "relu" else 0.5),
                 images_per_second=noisy(pace, 0.1), hardware="slow, 1 thread")  # fmt: skip
    parts = {part.title: (part.verdict, part.n) for part in runs.claim(5).parts if "step time" in part.title}
    assert parts == {
        f"ln(step time relu / {other}), on {machine}": (verdict, 5)
        for other in ("sigmoid", "tanh")
        for machine, verdict in (("None", "supported"), ("slow, 1 thread", "refuted"))
    }


def test_step_times_of_sides_on_different_machines_are_undecided() -> None:
    runs = faster_relu(1000.0)
    alone = [replace(run, hardware="other") if run.fields["activation"] == "relu" else run for run in runs]
    parts = [part for part in Runs(alone).claim(5).parts if "step time" in part.title]
    assert [part.verdict for part in parts] == ["undecided"] * 2
    assert "on one machine" in parts[0].missing[0]


def accuracies(**means: float) -> Runs:
    runs = Runs()
    for dataset in ("mnist", "fashion_mnist"):
        for salt, (name, mean) in enumerate(means.items()):
            spec = {"activation": name, "dataset": dataset}
            runs.add(spec, range(10), test_accuracy=noisy(mean, 0.0001, salt))
    return runs


def test_claim_9_swish_is_better() -> None:
    assert accuracies(relu=0.99, swish=0.992).claim(9).verdict == "supported"
    refuted = accuracies(relu=0.99, swish=0.99).claim(9)
    assert refuted.verdict == "refuted"
    facts = [part for part in refuted.parts if not part.evidence]
    assert [part.verdict for part in facts] == ["supported"] * 4
    assert "gelu" in refuted.notes[-1]
    assert "mish" in refuted.notes[-1]
    on_one_dataset = Runs(run for run in accuracies(relu=0.99, swish=0.992) if run.fields["dataset"] == "mnist").claim(
        9
    )
    assert (on_one_dataset.verdict, on_one_dataset.missing) == ("undecided", ["2 data sets; there is 1"])


def test_claims_9_and_11_separate_one_rate_from_chosen_rates() -> None:
    runs = accuracies(relu=0.99, swish=0.992)
    shared = runs.claim(9)
    assert shared.notes[0].startswith("All at one learning rate")
    chosen = Runs(replace(run, fields=tuned(run.fields)) for run in runs).claim(9)
    assert chosen.verdict == "supported"
    assert chosen.notes[0] == "Each at the learning rate that the study chose for it."
    assert {part.context["optimizer.learning_rate"] for part in chosen.parts if part.evidence} == {"tuned"}


ALIKE = {"relu": 0.99, "sigmoid": 0.985, "tanh": 0.987, "leaky_relu": 0.99, "swish": 0.99}


def test_claim_11_start_with_relu() -> None:
    assert accuracies(**ALIKE).claim(11).verdict == "supported"
    assert accuracies(**{**ALIKE, "swish": 0.993}).claim(11).verdict == "refuted"
    assert accuracies(relu=0.99, swish=0.99).claim(11).missing == [
        "runs of sigmoid",
        "runs of tanh",
        "runs of leaky_relu",
    ]
    runs = [
        run
        for run in accuracies(**ALIKE)
        if not (run.fields["activation"] == "swish" and run.fields["dataset"] == "mnist")
    ]
    better_on_one = Runs(runs).add({"activation": "swish"}, range(10), test_accuracy=noisy(0.995, 0.0001, 4))
    assert better_on_one.claim(11).verdict == "undecided"
    part = better_on_one.claim(11).parts[0]
    assert part.confidence == pytest.approx(1 - 0.05 / 4)


RATES = [0.001, 0.00316, 0.01, 0.0316, 0.1]


def rates(best_of_sigmoid: float, worse: float = 0.2) -> Runs:
    runs = Runs()
    for name, best, level in (("sigmoid", best_of_sigmoid, worse), ("relu", 0.01, 0.0)):
        for rate in RATES:
            spec = {"activation": name, "optimizer": {"name": "sgd", "learning_rate": rate}, "schedule": "none"}
            runs.add(spec, learning_speed=noisy(level + abs(math.log10(rate / best))))
    return runs


def test_claim_10_unbounded_functions_need_a_smaller_rate() -> None:
    assert rates(0.0316).claim(10).verdict == "supported"
    assert rates(0.01, worse=0.0).claim(10).verdict == "refuted"
    edge = rates(0.1).claim(10)
    assert edge.verdict == "undecided"
    assert "edge, 0.1" in edge.missing[0]


def dying(relu: float, leaky: float = 0.0, leaky_pace: float = 900.0) -> Runs:
    runs = Runs()
    for rate in (0.001, 0.01):
        for name, share, pace in (("relu", relu, 1000.0), ("leaky_relu", leaky, leaky_pace)):
            spec = {"activation": name, "model": {"batch_norm": False}, "optimizer": {"learning_rate": rate}}
            runs.add(spec, layers=lambda seed, share=share: _dead(share + seed / 1000),
                     images_per_second=noisy(pace, 1.0))  # fmt: skip
    return runs


def _dead(share: float) -> Any:
    layer = {"dead_share_confirmed": share, "inactive_share": share, "units": 100, "zero_share": 0.5}
    return {0: {"conv1": layer}, 1: {"conv1": layer, "output": {"units": 10}}}


def test_claims_7_and_8_dying_units_and_their_cure() -> None:
    assert (dying(0.2).claim(7).verdict, dying(0.2).claim(8).verdict) == ("supported", "supported")
    assert (dying(0.0).claim(7).verdict, dying(0.0).claim(8).verdict) == ("refuted", "refuted")
    assert dying(0.2, leaky=0.2).claim(8).verdict == "refuted"
    assert dying(0.2, leaky_pace=1000.0).claim(8).verdict == "refuted"
    without = Runs().add({"activation": "relu", "model": {"batch_norm": False}}).claim(7)
    assert without.missing[0] == "diagnostics of relu"


def test_claim_6_half_of_the_outputs_are_zero() -> None:
    def runs(share: float) -> Runs:
        def layers(seed: int) -> Any:
            return {0: {"conv1": {"zero_share": 0.5}, "dense1": {"zero_share": share + seed / 1000}, "output": {}}}

        return Runs().add({"activation": "relu"}, layers=layers)

    assert runs(0.45).claim(6).verdict == "supported"
    assert runs(0.3).claim(6).verdict == "refuted"
    assert runs(0.399).claim(6).verdict == "undecided"
    assert runs(0.45).claim(6).parts[0].title == "conv1: zero share at the start"


def test_claim_3_gradients_vanish() -> None:
    def runs(per_layer: float) -> Runs:
        runs = Runs()
        for name in ("sigmoid", "tanh"):
            for depth in (1, 3, 5, 10):
                spec = {"activation": name, "model": {"batch_norm": False, "dense_layers": depth}}
                runs.add(spec, layers=lambda seed, depth=depth: {0: {
                    "dense1": {"gradient_rms": 10 ** (per_layer * depth + seed / 1000), "saturated_share": 0.25},
                    "output": {"gradient_rms": 1.0}}})  # fmt: skip
        return runs

    assert runs(-0.6).claim(3).verdict == "supported"
    assert runs(-0.05).claim(3).verdict == "refuted"
    assert runs(-0.6).claim(3).parts[0].mean == pytest.approx(-0.6)
    assert "25.0%" in runs(-0.6).claim(3).notes[0]
    shallow = Runs(run for run in runs(-0.6) if run.fields["model.dense_layers"] != 10).claim(3)
    assert shallow.missing == ["sigmoid at depth 10", "tanh at depth 10"]


def test_claim_2_step_cannot_learn() -> None:
    def runs(gradient: float, straight: float, unchanged: bool = True) -> Runs:
        through = {"name": "step", "parameters": {"straight_through": 1.0}}
        row = {"gradient_norm": gradient, "unchanged": unchanged}
        output = {"gradient_norm": 0.5, "unchanged": False}
        layers = {epoch: {"conv1": row, "output": output} for epoch in (0, 1)}
        return Runs().add({"activation": "step"}, test_accuracy=noisy(0.2), layers=layers).add(
            {"activation": through}, test_accuracy=noisy(straight, salt=1)
        )  # fmt: skip

    assert runs(0.0, 0.9).claim(2).verdict == "supported"
    assert runs(1e-30, 0.9).claim(2).verdict == "refuted"
    assert runs(0.0, 0.9, unchanged=False).claim(2).verdict == "refuted"
    assert runs(0.0, 0.2).claim(2).verdict == "refuted"


def test_claim_12_needs_no_runs() -> None:
    claim = Runs().claim(12)
    assert (claim.verdict, claim.missing) == ("refuted", [])
    wrong = [part.title for part in claim.parts if part.verdict == "refuted"]
    assert wrong == [
        "swish: the only one that is not monotonic, stated true, computed false",
        "swish2: f(1) for a large beta, where it is said to be ReLU, stated 1, computed 2",
    ]
    assert claim.notes == [f"Not so: {title}" for title in wrong]
    assert "sigmoid: range, stated [0, 1], computed [0, 1]" in [part.title for part in claim.parts]


def test_claim_1_linear_layers_collapse() -> None:
    assert linear(1e-9, 0.92, 0.925).claim(1).verdict == "supported"
    assert [part.verdict for part in linear(1e-9, 0.92, 0.925).claim(1).parts] == ["supported"] * 5
    assert linear(1e-3, 0.92, 0.925).claim(1).verdict == "refuted"
    assert linear(1e-9, 0.8, 0.925).claim(1).verdict == "refuted"
    assert linear(1e-9, 0.92, 0.94).claim(1).verdict == "refuted"
    assert linear(1e-9, 0.92, 0.9295).claim(1).verdict == "undecided"  # within 1 pp, and not surely so


def test_claim_1_names_the_networks_that_are_missing() -> None:
    def missing(*shapes: tuple[int, int]) -> list[str]:
        return Runs(run for run in linear(1e-9, 0.92, 0.925) if _shape(run) in shapes).claim(1).missing

    regression = ["linear networks (depth 1, softmax regression) that differ in nothing else",
                  "linear networks (depth 10, softmax regression) that differ in nothing else"]  # fmt: skip
    assert missing((2, 1), (2, 10)) == regression
    assert missing((2, 1), (0, 0)) == ["linear networks (depth 10, depth 1) that differ in nothing else", regression[1]]
    assert "linear networks with average pooling, of 1 and of 10 dense layers" in missing((0, 0))


def linear(difference: float, deep: float, regression: float) -> Runs:
    runs = Runs()
    for salt, (channels, depth, mean) in enumerate((([32, 64], 1, 0.92), ([32, 64], 10, deep), ([], 0, regression))):
        spec = {"activation": "linear", "model": {"pool": "avg", "conv_channels": channels, "dense_layers": depth}}
        runs.add(spec, test_accuracy=noisy(mean, salt=salt), largest_difference=difference)
    return runs


def _shape(run: Observed) -> tuple[int, int]:
    channels, depth = run.fields["model.conv_channels"], run.fields["model.dense_layers"]
    assert isinstance(channels, str)
    assert isinstance(depth, int)
    return len(json.loads(channels)), depth


NETWORKS = ("model.conv_channels=[32, 64], model.dense_layers=1", "model.conv_channels=[32, 64], model.dense_layers=10")


def test_claims_preset_has_the_cells_of_every_claim() -> None:
    """Runs with figures but without diagnostics leave no claim undecided for want of cells."""
    runs = Runs()
    for submission in StudySpec.model_validate(PRESETS["claims"]).experiments():
        spec = submission.spec.model_dump(mode="json")
        figures = {"test_accuracy": 0.9, "learning_speed": 0.1, "images_per_second": 1000.0}
        runs.add(spec, [submission.spec.seed], **figures)
    missing = {claim.number: [text for part in claim.parts for text in part.missing]
               for claim in judge(Observations(runs)).claims}  # fmt: skip
    for number in (4, 5, 9, 11):
        assert not missing[number], number
    assert set(missing[1]) == {f"the logits of {name} held against W x + b" for name in NETWORKS}
    assert all("edge" in text for text in missing[10])  # all rates alike
    assert set(missing[2]) == {"diagnostics of step"}
    assert set(missing[6]) == set(missing[7]) == {"diagnostics of relu"}
    assert all(text.startswith("5 seeds with a value; there are 0") for text in missing[3])


@pytest.mark.usefixtures("later")
def test_fields_are_equal_for_specs_before_and_after_a_field_was_added() -> None:
    older, newer = (kind.model_validate({"activation": "relu"}) for kind in (ExperimentSpec, LaterSpec))
    assert fields(older.model_dump(mode="json")) == fields(newer.model_dump(mode="json"))
