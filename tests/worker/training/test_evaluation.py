import numpy as np
import pytest
import torch

from worker.training.evaluation import Predictions, class_figures, confusion_matrix, losses, predicted_classes, score

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 0.0]])
TARGETS = torch.tensor([0, 2])


def predictions(correct: list[bool], loss: float = 0.5) -> Predictions:
    return Predictions(loss, np.zeros(len(correct), dtype=np.int64), np.array(correct))


def test_losses_of_softmax_are_cross_entropies() -> None:
    expected = [-2 + np.log(np.exp([2, -1, 0.5]).sum()), np.log(np.exp([0, 3, 0]).sum())]
    assert losses(LOGITS, TARGETS, "softmax").tolist() == pytest.approx(expected)


def test_losses_of_sigmoid_sum_each_class_against_the_rest() -> None:
    def unit_loss(logit: float, positive: bool) -> float:
        return float(np.log1p(np.exp(-logit if positive else logit)))

    expected = [
        unit_loss(2, True) + unit_loss(-1, False) + unit_loss(0.5, False),
        unit_loss(0, False) + unit_loss(3, False) + unit_loss(0, True),
    ]
    assert losses(LOGITS, TARGETS, "sigmoid").tolist() == pytest.approx(expected)


def test_losses_of_sigmoid_take_one_unit_for_two_classes() -> None:
    logits = torch.tensor([[2.0], [-1.0]])
    assert losses(logits, torch.tensor([1, 1]), "sigmoid").tolist() == pytest.approx(
        [np.log1p(np.exp(-2)), np.log1p(np.exp(1))]
    )
    assert predicted_classes(logits).tolist() == [1, 0]


def test_predicted_classes_are_those_of_the_largest_logits() -> None:
    assert predicted_classes(LOGITS).tolist() == [0, 1]


def test_score_packs_a_bit_an_image_first_image_first() -> None:
    scored = score(predictions([True, False, True, True, True, True, True, True, False, True]), epoch=3)
    assert scored.correct == bytes([0b10111111, 0b01000000])
    assert (scored.epoch, scored.test_accuracy, scored.test_loss) == (3, 0.8, 0.5)


def test_score_has_the_interval_of_wilson() -> None:
    """By hand: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) with p = 0.9, n = 10, z = 1.959964."""
    scored = score(predictions([True] * 9 + [False]), epoch=1)
    assert scored.interval == pytest.approx((0.595850, 0.982124), abs=1e-6)


def test_score_replaces_a_loss_that_is_not_finite_by_none() -> None:
    assert score(predictions([True], loss=float("inf")), epoch=1).test_loss is None


def test_class_figures_of_each_class() -> None:
    predicted = Predictions(0.0, np.array([0, 0, 1, 0]), np.array([True, True, True, False]))
    confusion = confusion_matrix(predicted, torch.tensor([0, 0, 1, 1]), 3)
    assert confusion.tolist() == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    four, five, nine = class_figures(confusion, [4, 5, 9])
    assert (four.label, four.support, four.precision, four.recall, four.f1) == (4, 2, 2 / 3, 1.0, 0.8)
    assert (five.precision, five.recall) == (1.0, 0.5)
    assert (nine.label, nine.support, nine.precision, nine.recall, nine.f1) == (9, 0, None, None, None)
