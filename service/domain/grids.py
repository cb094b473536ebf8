"""Grids: base fields times factors times seeds, and the place in a study of each wrong value."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from service.domain.activations.registry import REGISTRY, Registry
from service.domain.errors import FieldProblem, Invalid
from service.domain.nested import as_object, with_value
from service.domain.problems import field_problems, pointer
from service.domain.spec import LARGEST_SAFE_INTEGER, ExperimentSubmission
from service.domain.text import printable

# Fields that file an experiment or repeat it; a study does not compare their values.
NOT_FACTORS = frozenset({"seed", "name", "tags", "notes", "priority"})

DEEPEST_FACTOR = 4  # activation.parameters.beta.value
ENOUGH_PROBLEMS = 10_000  # after so many, counted in each cell anew, no further cell is checked

Place = tuple[str | int, ...]
"""The place of a value in a study: the parts of a JSON pointer."""


@dataclass(frozen=True)
class Factor:
    """The values of one dotted path, and their place in the study."""

    path: str
    values: Sequence[Any]
    place: Place

    @property
    def parts(self) -> list[str]:
        return self.path.split(".")


@dataclass(frozen=True)
class Block:
    """A grid, with the fields that it shares with the other grids of its study filled in.

    `own` are the fields of its base that it does not share, spelt as in pointers; they stand at `place`.
    """

    base: Mapping[str, Any]
    factors: Sequence[Factor]
    seeds: Sequence[int]
    seeds_place: Place = ("seeds",)
    own: frozenset[str] = frozenset()
    place: Place = ()

    @property
    def cells(self) -> int:
        """The number of combinations of its factors' values."""
        return math.prod(len(factor.values) for factor in self.factors)

    @property
    def size(self) -> int:
        return self.cells * len(self.seeds)

    def problems(self) -> Iterator[FieldProblem]:
        """Yield the problems that can be seen before any experiment is made."""
        yield from self._factor_problems()
        yield from self.seed_problems()

    def first_experiments(
        self, registry: Registry | None = None
    ) -> tuple[list[ExperimentSubmission], list[FieldProblem]]:
        """Return the experiment of each cell with the first seed, and the problems of any of them.

        The registry has the formulas of registered activations. Those of the other seeds differ by the seed alone
        (`with_seed`), which `problems` has checked.
        """
        submissions: list[ExperimentSubmission] = []
        problems: dict[tuple[str, str], FieldProblem] = {}
        n_problems = 0
        for values, origins in self._cells():
            try:
                fields = {**values, "seed": self.seeds[0]}
                submissions.append(ExperimentSubmission.model_validate(fields, context={REGISTRY: registry}))
            except ValidationError as error:
                for problem in self._located(error, origins):
                    problems.setdefault((problem.pointer, problem.code), problem)
                n_problems += error.error_count()
                if n_problems > ENOUGH_PROBLEMS:
                    break
        return submissions, list(problems.values())

    def seed_problems(self) -> Iterator[FieldProblem]:
        if "seed" in self.base:
            yield FieldProblem(self._in_base("seed"), "Give seeds in `seeds`", "not_allowed", self.base["seed"])
        for index, seed in enumerate(self.seeds):
            where = pointer((*self.seeds_place, index))
            if not 0 <= seed <= LARGEST_SAFE_INTEGER:
                yield FieldProblem(where, f"A seed lies from 0 to {LARGEST_SAFE_INTEGER}", "out_of_bounds", seed)
            elif seed in self.seeds[:index]:
                yield FieldProblem(where, "Give each seed once", "repeated_value", seed)

    def _factor_problems(self) -> Iterator[FieldProblem]:
        paths = [factor.path for factor in self.factors]
        for index, factor in enumerate(self.factors):
            where, path = pointer(factor.place), factor.parts
            if path[0] in NOT_FACTORS:
                yield FieldProblem(where, f"{factor.path} cannot be a factor", "not_a_factor", factor.path)
            elif len(path) > DEEPEST_FACTOR or printable(factor.path) != factor.path:
                yield FieldProblem(where, "There is no such field", "extra_forbidden", factor.path)
            elif not factor.values:
                yield FieldProblem(where, "Give at least one value", "too_short", factor.values)
            elif len({json.dumps(value, sort_keys=True) for value in factor.values}) < len(factor.values):
                yield FieldProblem(where, "Give each value once", "repeated_value", factor.values)
            elif factor.path in paths[:index]:
                yield FieldProblem(where, f"{factor.path} is a factor of the whole study", "given_twice", factor.path)
            elif any(".".join(path[:depth]) in paths for depth in range(1, len(path))):
                yield FieldProblem(where, f"{factor.path} is part of another factor", "given_twice", factor.path)
            else:
                yield from self._base_problems(factor)

    def _base_problems(self, factor: Factor) -> Iterator[FieldProblem]:
        """Yield the values of base that keep a value from being put at the path of a factor."""
        value: Any = self.base
        for depth, field in enumerate(factor.parts):
            if not isinstance(value, dict):
                where = self._in_base(*factor.parts[:depth])
                yield FieldProblem(where, f"Should be an object, for {factor.path} to vary in it", "model_type", value)
                return
            if field not in value or value[field] is None:
                return
            if field == "dropout" and factor.path != field and isinstance(value[field], int | float):
                return  # one number for both places, of which the factor varies one
            value = as_object(field, value[field])
        reason = f"{factor.path} is in base too; give it once"
        yield FieldProblem(pointer(factor.place), reason, "given_twice", factor.path)

    def _cells(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """Yield each cell's fields, and the origin in the study of those that are not in base: pointer to pointer."""
        for combination in itertools.product(*(enumerate(factor.values) for factor in self.factors)):
            values = dict(self.base)
            origins = {}
            for factor, (index, value) in zip(self.factors, combination, strict=True):
                values = with_value(values, factor.parts, value)
                origins[pointer(factor.parts)] = pointer((*factor.place, index))
            yield values, origins

    def _located(self, error: ValidationError, origins: Mapping[str, str]) -> list[FieldProblem]:
        """Return the spec's problems with pointers to the place in the study: a factor, a seed, or base."""
        problems = field_problems(error.errors())
        for problem in problems:
            problem.pointer = self._origin(problem.pointer, origins)
        return problems

    def _origin(self, spec_pointer: str, origins: Mapping[str, str]) -> str:
        for inner, outer in origins.items():
            if spec_pointer == inner or spec_pointer.startswith(f"{inner}/"):
                return outer + spec_pointer.removeprefix(inner)
            # An object made for this factor alone.
            if spec_pointer and inner.startswith(f"{spec_pointer}/") and spec_pointer.split("/")[1] not in self.base:
                return outer
        return self._base(spec_pointer.split("/")[1] if spec_pointer else "") + spec_pointer

    def _in_base(self, *path: str) -> str:
        inner = pointer(path)
        return self._base(inner.split("/")[1]) + inner

    def _base(self, first: str) -> str:
        """Return the pointer of the base that holds this field, whose name is spelt as in pointers."""
        return pointer((*self.place, "base")) if first in self.own else "/base"


def refuse(problems: Sequence[FieldProblem]) -> None:
    """Raise Invalid with all of these problems, each once, if there are any."""
    distinct: dict[tuple[str, str], FieldProblem] = {}
    for problem in problems:
        distinct.setdefault((problem.pointer, problem.code), problem)
    errors = list(distinct.values())
    if errors:
        more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise Invalid(f"The study is not valid: {errors[0].pointer}: {errors[0]}{more}.", errors=errors)
