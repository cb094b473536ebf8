"""Grids: base fields times factors times seeds, and where in a study a wrong value was given."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from service.domain.activations.registry import REGISTRY, Registry
from service.domain.errors import FieldProblem, Invalid
from service.domain.problems import field_problems, pointer
from service.domain.spec import LARGEST_SAFE_INTEGER, ExperimentSubmission
from service.domain.text import printable

# Fields that file an experiment or repeat it; varying them asks no question.
NOT_FACTORS = frozenset({"seed", "name", "tags", "notes", "priority"})

DEEPEST_FACTOR = 4  # activation.parameters.beta.value
ENOUGH_PROBLEMS = 10_000  # after so many, the same ones in each cell counted, no further cell is judged

Place = tuple[str | int, ...]
"""Where in a study something stands: the parts of a JSON pointer."""


@dataclass(frozen=True)
class Factor:
    """The values of one dotted path, and where they stand."""

    path: str
    values: Sequence[Any]
    place: Place

    @property
    def parts(self) -> list[str]:
        return self.path.split(".")


@dataclass(frozen=True)
class Block:
    """One grid, with what it shares with the others of its study filled in. `own` are the fields of its base that it
    does not share, which stand at `place`, spelt as in pointers."""

    base: Mapping[str, Any]
    factors: Sequence[Factor]
    seeds: Sequence[int]
    seeds_place: Place = ("seeds",)
    own: frozenset[str] = frozenset()
    place: Place = ()

    @property
    def cells(self) -> int:
        """How many combinations of its factors' values there are."""
        return math.prod(len(factor.values) for factor in self.factors)

    @property
    def size(self) -> int:
        return self.cells * len(self.seeds)

    def problems(self) -> Iterator[FieldProblem]:
        """What is wrong before any experiment is made."""
        yield from self._factor_problems()
        yield from self.seed_problems()

    def experiments(self, registry: Registry | None = None) -> tuple[list[ExperimentSubmission], list[FieldProblem]]:
        """Seed by seed, cell by cell within, and what is wrong with any of them. The registry has the formulas of
        registered activations."""
        found: list[ExperimentSubmission] = []
        problems: dict[tuple[str, str], FieldProblem] = {}
        seen = 0
        for values, origins in self._fields():
            try:
                found.append(ExperimentSubmission.model_validate(values, context={REGISTRY: registry}))
            except ValidationError as error:
                for problem in self._located(error, origins):
                    problems.setdefault((problem.pointer, problem.code), problem)
                seen += error.error_count()
                if seen > ENOUGH_PROBLEMS:
                    break
        return found, list(problems.values())

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
        """What stands in the way of putting a value at the path of a factor into base."""
        base: Any = self.base
        for depth, field in enumerate(factor.parts):
            if not isinstance(base, dict):
                where = self._in_base(*factor.parts[:depth])
                yield FieldProblem(where, f"Should be an object, for {factor.path} to vary in it", "model_type", base)
                return
            if field not in base or base[field] is None:
                return
            if field == "dropout" and factor.path != field and isinstance(base[field], int | float):
                return  # one number for both places, of which the factor varies one
            base = as_object(field, base[field])
        reason = f"{factor.path} is in base too; give it once"
        yield FieldProblem(pointer(factor.place), reason, "given_twice", factor.path)

    def _fields(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """Each experiment's fields, and where in the study those come from that are not in base: pointer to pointer.
        Seeds are outermost: what is queued in this order takes turns, and half a study has whole pairs."""
        cells = list(self._cells())
        for index, seed in enumerate(self.seeds):
            for values, origins in cells:
                yield {**values, "seed": seed}, {**origins, "/seed": pointer((*self.seeds_place, index))}

    def _cells(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """The same of each cell, without a seed."""
        for choice in itertools.product(*(enumerate(factor.values) for factor in self.factors)):
            values = dict(self.base)
            origins = {}
            for factor, (index, value) in zip(self.factors, choice, strict=True):
                values = with_value(values, factor.parts, value)
                origins[pointer(factor.parts)] = pointer((*factor.place, index))
            yield values, origins

    def _located(self, error: ValidationError, origins: Mapping[str, str]) -> list[FieldProblem]:
        """The spec's problems, pointed at where the study says the value: a factor, a seed, or base."""
        problems = field_problems(error.errors())
        for problem in problems:
            problem.pointer = self._origin(problem.pointer, origins)
        return problems

    def _origin(self, found: str, origins: Mapping[str, str]) -> str:
        for inner, outer in origins.items():
            if found == inner or found.startswith(f"{inner}/"):
                return outer + found.removeprefix(inner)
            # An object made for this factor alone.
            if found and inner.startswith(f"{found}/") and found.split("/")[1] not in self.base:
                return outer
        return self._base(found.split("/")[1] if found else "") + found

    def _in_base(self, *path: str) -> str:
        inner = pointer(path)
        return self._base(inner.split("/")[1]) + inner

    def _base(self, first: str) -> str:
        """The base that holds this field, whose name is spelt as in pointers."""
        return pointer((*self.place, "base")) if first in self.own else "/base"


def refuse(problems: Sequence[FieldProblem]) -> None:
    """Invalid with all of them, each once, if there are any."""
    first: dict[tuple[str, str], FieldProblem] = {}
    for problem in problems:
        first.setdefault((problem.pointer, problem.code), problem)
    found = list(first.values())
    if found:
        more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
        raise Invalid(f"The study is not valid: {found[0].pointer}: {found[0]}{more}.", errors=found)


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Both, objects within objects too; where both have a value, `own`'s. An activation is taken whole."""
    both = dict(shared)
    for name, value in own.items():
        held = as_object(name, both.get(name))
        inner = isinstance(held, dict) and isinstance(value, dict) and name != "activation"
        both[name] = merged(held, value) if inner else value
    return both


def has(values: Any, path: Sequence[str]) -> bool:
    """Whether these fields say something of what stands at the path."""
    if not path or not isinstance(values, dict):
        return True
    return path[0] in values and has(as_object(path[0], values[path[0]]), path[1:])


def without(values: Mapping[str, Any], paths: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A copy that says nothing of what stands at these paths."""
    rest: dict[str, Any] = {}
    for name, value in values.items():
        inner = [path[1:] for path in paths if path[0] == name]
        if not inner:
            rest[name] = value
        elif all(inner) and isinstance(held := as_object(name, value), dict):
            rest[name] = without(held, inner)
    return rest


def with_value(values: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy with `value` at the path."""
    head, *rest = path
    inner = values.get(head)
    return {**values, head: with_value(as_object(head, {} if inner is None else inner), rest, value) if rest else value}


def as_object(field: str, value: Any) -> Any:
    """Fields with a short form, spelt out, so that a factor can reach into them."""
    if field == "activation" and isinstance(value, str):
        return {"name": value}
    if field == "dropout" and isinstance(value, int | float):
        return {"conv": value, "dense": value}
    return value
