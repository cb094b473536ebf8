import numpy as np
import pytest

from service.datasets.stratified import stratified
from service.domain.errors import InvalidData
from worker.training.datasets.split import split

LABELS = np.repeat(np.arange(10), [90, 110, 100, 100, 100, 100, 100, 100, 95, 105])


def test_split_sets_a_stratified_share_aside_for_validation() -> None:
    parts = split(LABELS, "mnist", 0.1)
    assert len(parts.validation) == 100
    assert np.bincount(LABELS[parts.validation]).tolist() == [9, 11, 10, 10, 10, 10, 10, 10, 10, 10]


def test_split_assigns_each_image_to_one_part() -> None:
    parts = split(LABELS, "mnist", 0.1)
    assert sorted([*parts.train, *parts.validation]) == list(range(1000))


def test_split_depends_on_the_data_set_and_the_fraction_alone() -> None:
    assert np.array_equal(split(LABELS, "mnist", 0.1).validation, split(LABELS, "mnist", 0.1).validation)
    assert not np.array_equal(split(LABELS, "mnist", 0.1).validation, split(LABELS, "digits", 0.1).validation)
    assert not np.array_equal(split(LABELS, "mnist", 0.1).validation, split(LABELS, "mnist", 0.2).validation)


def test_split_stays_the_same() -> None:
    """Stored results of other versions were made with these very images."""
    assert split(LABELS, "mnist", 0.01).validation.tolist() == [89, 178, 236, 336, 436, 536, 636, 736, 893, 957]


def test_split_sets_one_image_of_each_class_aside_at_least() -> None:
    assert np.bincount(LABELS[split(LABELS, "mnist", 1e-9).validation]).tolist() == [1] * 10


def test_split_drops_other_classes_from_both_parts() -> None:
    whole, parts = split(LABELS, "mnist", 0.1), split(LABELS, "mnist", 0.1, classes=[3, 7])
    assert set(LABELS[parts.train]) == {3, 7} == set(LABELS[parts.validation])
    assert set(parts.validation) <= set(whole.validation)


def test_split_takes_a_stratified_train_samples() -> None:
    whole, parts = split(LABELS, "mnist", 0.1), split(LABELS, "mnist", 0.1, train_samples=90)
    assert np.bincount(LABELS[parts.train]).tolist() == [8, 10, 9, 9, 9, 9, 9, 9, 9, 9]
    assert set(parts.train) <= set(whole.train)
    assert np.array_equal(parts.validation, whole.validation)


def test_split_refuses_too_many_train_samples() -> None:
    with pytest.raises(InvalidData, match="asks for 500 images, but mnist has 180"):
        split(LABELS, "mnist", 0.1, classes=[3, 7], train_samples=500)


@pytest.mark.parametrize("count", [0, 1, 9, 333, 999, 1000])
def test_stratified_takes_exactly_count(count: int) -> None:
    chosen, others = stratified(LABELS, count, "any")
    assert (len(chosen), len(others)) == (count, 1000 - count)
