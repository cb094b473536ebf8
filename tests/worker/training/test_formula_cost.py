"""The estimated memory of a formula against the tensors that torch keeps."""

import gc
import random
import weakref
from collections.abc import Collection

import pytest
import torch
from torch import Tensor

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.cost import OVERHEAD, TIMES, estimated_cost
from service.domain.activations.memory import kept_for_backward
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.expression import ARITY, Expression
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import parse
from service.domain.formulas.programs import COMPARISONS, IS_NOT_ZERO, POWER, READ, TEST
from service.domain.formulas.rewriting import stable
from service.domain.formulas.tokens import FormulaError
from tests.domain.formulas.generating import TEXTBOOK, grammatical
from worker.training.activations import build, definition, kernel_for

SHAPE = (2, 8, 16, 16)
ELEMENTS = 1000


class KeptTensor:
    def __init__(self, saved: Tensor) -> None:
        self.tensor = saved.detach()  # a result would keep its own graph alive


def bytes_kept(function: object, shape: tuple[int, ...] = SHAPE) -> float:
    """The bytes for each element of x that are alive between forward and backward pass; a tensor counts once."""
    x = torch.rand(shape).requires_grad_() * 1
    references: list[weakref.ref[KeptTensor]] = []

    def pack(saved: Tensor) -> KeptTensor:
        saved_tensor = KeptTensor(saved)
        references.append(weakref.ref(saved_tensor))
        return saved_tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved_tensor: saved_tensor.tensor):
        y = function(x)  # type: ignore[operator]  # a module, or a function of a tensor
    storages = {}
    for saved_tensor in (ref() for ref in references):
        if saved_tensor is not None:
            storage = saved_tensor.tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    del y
    return sum(size for size in storages.values() if size >= x.numel()) / x.numel()


def bytes_kept_by(tree: Expression, learned: Collection[str] = ()) -> float:
    values = {name: torch.tensor(0.5, requires_grad=name in learned) for name in ("a", "b")}
    return bytes_kept(lambda x: definition(tree, x, values))


@pytest.mark.parametrize("text", TEXTBOOK)
def test_kept_for_backward_equals_what_torch_keeps(text: str) -> None:
    tree = stable(parse(text))
    assert kept_for_backward(tree).bytes_per_element == bytes_kept_by(tree)


def test_kept_for_backward_equals_what_torch_keeps_of_generated_formulas() -> None:
    rng, compared = random.Random(1), 0
    while compared < 200:
        text = grammatical(rng, rng.randint(1, 5))
        learned = rng.choice([(), ("a",), ("a", "b")])
        try:
            tree = stable(parse(text, ["a", "b"]))
        except FormulaError:
            continue
        assert kept_for_backward(tree, learned).bytes_per_element == bytes_kept_by(tree, learned), (text, learned)
        compared += 1
    gc.collect()


@pytest.mark.parametrize("name", CATALOGUE)
def test_fused_kernel_keeps_one_or_two_tensors(name: str) -> None:
    spec = ActivationSpec(name=name)
    measured = bytes_kept(build(spec, torch.Generator()))
    assert measured <= {"softsign": 8}.get(name, 4)
    assert estimated_cost(spec, ELEMENTS).bytes_per_element == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "swish"}, {"name": "swish", "parameters": {"beta": 2}},
        {"name": "swish2", "parameters": {"beta": {"value": 1, "learnable": True}}}, {"name": "prelu"}, {"name": "elu"},
        {"formula": "x * sigmoid(x)"}, {"formula": "x * sigmoid(2 * x)"}, {"formula": "x + 0 * x"},
    ],
    ids=str,
)  # fmt: skip
def test_cost_says_fused_where_training_takes_a_kernel(fields: dict[str, object]) -> None:
    spec = ActivationSpec.model_validate(fields)
    assert estimated_cost(spec, ELEMENTS).fused == (getattr(kernel_for(spec), "func", None) is not definition)


def test_cost_has_a_time_for_every_step() -> None:
    operations = {name for name, arity in ARITY.items() if arity} - DEFINITIONS.keys()
    assert TIMES.keys() == {*operations, *(TEST + name for name in COMPARISONS), POWER, IS_NOT_ZERO, READ}


def test_cost_adds_up_the_steps_of_value_and_slope() -> None:
    cost = estimated_cost(ActivationSpec(formula="x * tanh(sin(x))"), ELEMENTS)
    assert (cost.nodes, cost.fused, cost.intermediate_tensors, cost.bytes_per_element) == (5, False, 1, 4)
    assert cost.bytes_per_batch == 4 * ELEMENTS
    value = TIMES["sin"] + TIMES["tanh"] + TIMES["*"]
    slope = TIMES["cos"] + TIMES[POWER] + TIMES["-"] + 2 * TIMES["*"] + TIMES["+"]  # x cos(x) (1 - tanh^2) + tanh
    assert cost.time_ratio == pytest.approx(OVERHEAD + value + slope, abs=0.051)
    learned = {"formula": "where(x > 0, x, a * x)", "parameters": {"a": {"value": 0.5, "learnable": True}}}
    masks = estimated_cost(ActivationSpec.model_validate(learned), ELEMENTS)
    assert (masks.intermediate_tensors, masks.bytes_per_element) == (2, 8)  # a slope for x and one for a
