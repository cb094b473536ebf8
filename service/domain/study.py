"""A study: a grid of experiments that share a question."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from service.domain.errors import FieldProblem, Invalid
from service.domain.part import Part
from service.domain.problems import field_problems, pointer
from service.domain.spec import LARGEST_SAFE_INTEGER, ExperimentSubmission
from service.domain.text import Name, Notes

PresetName = Literal["quick"]

PRESETS: Mapping[PresetName, dict[str, Any]] = {
    "quick": {
        "name": "quick",
        "question": "Which of the main article's five activations learns best in three short epochs on 4,000 images?",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["relu", "sigmoid", "tanh", "leaky_relu", "swish"]},
        "seeds": [0, 1, 2],
    }
}

# Fields that file an experiment or repeat it; varying them asks no question.
NOT_FACTORS = frozenset({"seed", "name", "tags", "notes", "priority"})

class StudySpec(Part):
    """A grid over any spec fields times seeds, or a preset with what is given put over it."""

    preset: PresetName | None = Field(None, description="Where the other fields start; what is given goes over it.")
    name: Name | None = None
    question: Notes | None = None
    base: dict[str, Any] = Field({}, description="Spec fields that all experiments share.", examples=[{"epochs": 3}])
    factors: dict[str, list[Any]] = Field(
        {},
        description="Dotted spec paths, each with the values to try.",
        examples=[{"activation": ["relu", "swish"], "optimizer.learning_rate": [0.001, 0.003]}],
    )
    seeds: list[int] = Field([0, 1, 2], min_length=1, max_length=1000)

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("preset") not in list(PRESETS):
            return given
        preset = PRESETS[given["preset"]]
        merged = preset | given
        if isinstance(given.get("base"), dict):
            merged["base"] = preset["base"] | given["base"]
        return merged

    def __len__(self) -> int:
        """How many experiments it holds."""
        cells = 1
        for values in self.factors.values():
            cells *= len(values)
        return cells * len(self.seeds)

    def experiments(self) -> list[ExperimentSubmission]:
        """The grid, cell by cell, seeds innermost. Invalid names every wrong field of base, factors and seeds."""
        self._check_shape()
        names = list(self.factors)
        found: list[ExperimentSubmission] = []
        for choice in itertools.product(*(range(len(values)) for values in self.factors.values())):
            cell = {name: self.factors[name][index] for name, index in zip(names, choice, strict=True)}
            found.extend(self._cell(cell, dict(zip(names, choice, strict=True))))
        _check_distinct(found)
        return found

    def _cell(self, cell: Mapping[str, Any], choice: Mapping[str, int]) -> Iterator[ExperimentSubmission]:
        for index, seed in enumerate(self.seeds):
            values = {**self.base, "seed": seed}
            for path, value in cell.items():
                values = _with(values, path.split("."), value)
            try:
                yield ExperimentSubmission.model_validate(values)
            except ValidationError as error:
                where = {f"/{path.replace('.', '/')}": f"/factors/{path}/{i}" for path, i in choice.items()}
                raise _located(error, where | {"/seed": f"/seeds/{index}"}) from error

    def _check_shape(self) -> None:
        problems = [*_factor_problems(self.factors, self.base), *_seed_problems(self.seeds)]
        if "seed" in self.base:
            problems.append(FieldProblem("/base/seed", "Give seeds in `seeds`", "not_allowed", self.base["seed"]))
        if problems:
            raise Invalid("The study is not valid: see errors.", errors=problems)


def _factor_problems(factors: Mapping[str, list[Any]], base: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for path, values in factors.items():
        where = pointer(("factors", path))
        if path.split(".")[0] in NOT_FACTORS:
            yield FieldProblem(where, f"{path} cannot be a factor", "not_a_factor", path)
        elif not values:
            yield FieldProblem(where, "Give at least one value", "too_short", values)
        elif any(value in values[:index] for index, value in enumerate(values)):
            yield FieldProblem(where, "Give each value once", "repeated_value", values)
        elif path in base:
            yield FieldProblem(where, f"{path} is in base too; give it once", "given_twice", path)
        elif any(other != path and path.startswith(f"{other}.") for other in factors):
            yield FieldProblem(where, f"{path} is part of another factor", "given_twice", path)


def _seed_problems(seeds: list[int]) -> Iterator[FieldProblem]:
    for index, seed in enumerate(seeds):
        if not 0 <= seed <= LARGEST_SAFE_INTEGER:
            yield FieldProblem(
                f"/seeds/{index}", f"A seed lies from 0 to {LARGEST_SAFE_INTEGER}", "out_of_bounds", seed
            )
        elif seed in seeds[:index]:
            yield FieldProblem(f"/seeds/{index}", "Give each seed once", "repeated_value", seed)


def _with(values: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy with `value` at the dotted path."""
    head, *rest = path
    if not rest:
        return {**values, head: value}
    return {**values, head: _with(_as_object(head, values.get(head, {})), rest, value)}


def _as_object(field: str, value: Any) -> dict[str, Any]:
    """Fields with a short form, spelt out, so that a factor can reach into them. What is no object is left for the
    spec to refuse."""
    if field == "activation" and isinstance(value, str):
        return {"name": value}
    if field == "dropout" and isinstance(value, int | float):
        return {"conv": value, "dense": value}
    return value if isinstance(value, dict) else {}


def _located(error: ValidationError, where: Mapping[str, str]) -> Invalid:
    """The spec's problems, pointed at where the study says the value: a factor, a seed, or base."""
    problems = field_problems(error.errors())
    for problem in problems:
        origin = next((p for p in where if problem.pointer == p or problem.pointer.startswith(f"{p}/")), None)
        moved = f"/base{problem.pointer}" if origin is None else where[origin] + problem.pointer[len(origin) :]
        problem.pointer = moved
    return Invalid("The study is not valid: see errors.", errors=problems)


def _check_distinct(found: list[ExperimentSubmission]) -> None:
    seen: set[str] = set()
    for submission in found:
        spelled = submission.model_dump_json()
        if spelled in seen:
            problem = FieldProblem("/factors", "Two values of a factor mean the same", "repeated_value")
            raise Invalid(f"The study holds {submission.activation.label} twice.", errors=[problem])
        seen.add(spelled)
