"""A study: a grid of experiments that share a question."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from service.domain.activations.registered import REGISTRY, Registry
from service.domain.errors import FieldProblem, Invalid
from service.domain.part import Part
from service.domain.problems import field_problems, pointer
from service.domain.spec import LARGEST_SAFE_INTEGER, ExperimentSubmission
from service.domain.text import Name, Notes, printable

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

EXAMPLES: list[Any] = [
    {"preset": "quick"},
    {
        "name": "dropout and activation",
        "question": "Does the best activation depend on dropout?",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["relu", "swish"], "dropout": [0, 0.25]},
        "seeds": [0, 1, 2],
    },
]

MOST_SEEDS = 1000
DEEPEST_FACTOR = 4  # activation.parameters.beta.value
MOST_FACTORS = 50  # more than a spec has fields
ENOUGH_PROBLEMS = 10_000  # after so many, the same ones in each cell counted, no further cell is judged
DEEPEST_VALUE = 8  # levels of lists and objects; no field of a spec has more than four


def _shallow(given: Any) -> Any:
    if not _is_shallow(given, DEEPEST_VALUE):
        raise PydanticCustomError("nested_too_deeply", "Lists and objects nest at most 8 levels")
    return given


def _is_shallow(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)


class StudySpec(Part):
    """A grid over any spec fields times seeds, or a preset with what is given put over it."""

    model_config = ConfigDict(json_schema_extra={"examples": EXAMPLES})

    preset: PresetName | None = Field(None, description="Where the other fields start; what is given goes over it.")
    name: Name | None = None
    question: Notes | None = None
    base: Annotated[dict[str, Any], AfterValidator(_shallow)] = Field(
        {}, description="Spec fields that all experiments share.", examples=[{"epochs": 3}]
    )
    factors: Annotated[dict[str, list[Any]], AfterValidator(_shallow)] = Field(
        {},
        max_length=MOST_FACTORS,
        description="Dotted spec paths, each with the values to try.",
        examples=[{"activation": ["relu", "swish"], "optimizer.learning_rate": [0.001, 0.003]}],
    )
    seeds: list[int] = Field([0, 1, 2], min_length=1, max_length=MOST_SEEDS)

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("preset") not in list(PRESETS):
            return given
        preset = PRESETS[given["preset"]]
        base, factors = given.get("base", {}), given.get("factors", {})
        if not isinstance(base, dict) or not isinstance(factors, dict):
            return given  # refused where the fields are judged
        shared = {name: value for name, value in preset["base"].items() if name not in factors}
        return {**preset, **given, "base": shared | base}

    @property
    def cells(self) -> int:
        """How many combinations of its factors' values there are."""
        return math.prod(len(values) for values in self.factors.values())

    @property
    def size(self) -> int:
        """How many experiments it holds."""
        return self.cells * len(self.seeds)

    def with_seeds(self, seeds: list[int]) -> "StudySpec":
        """The same grid over other seeds."""
        return self.model_copy(update={"seeds": seeds})

    def experiments(self, registry: Registry | None = None) -> list[ExperimentSubmission]:
        """The grid, cell by cell, seeds innermost. Invalid names every wrong field of base, factors and seeds. The
        registry has the formulas of registered activations."""
        _refuse([*_factor_problems(self.factors, self.base), *_seed_problems(self.seeds, self.base)])
        found: list[ExperimentSubmission] = []
        problems: dict[tuple[str, str], FieldProblem] = {}
        seen = 0
        for values, origins in self._cells():
            try:
                found.append(ExperimentSubmission.model_validate(values, context={REGISTRY: registry}))
            except ValidationError as error:
                for problem in _located(error, origins, self.base):
                    problems.setdefault((problem.pointer, problem.code), problem)
                seen += error.error_count()
                if seen > ENOUGH_PROBLEMS:
                    break
        _refuse(list(problems.values()))
        _check_distinct(found)
        return found

    def _cells(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """Each experiment's fields, and where in the study those come from that are not in base: pointer to pointer."""
        paths = [path.split(".") for path in self.factors]
        for choice in itertools.product(*(enumerate(values) for values in self.factors.values())):
            values = self.base
            origins = {}
            for path, name, (index, value) in zip(paths, self.factors, choice, strict=True):
                values = _with(values, path, value)
                origins[pointer(path)] = pointer(("factors", name, index))
            for index, seed in enumerate(self.seeds):
                yield {**values, "seed": seed}, {**origins, "/seed": pointer(("seeds", index))}


class StudyPatch(BaseModel):
    """A JSON merge patch: what is left out stays, null clears. `seeds` is the whole list, old ones included."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"seeds": [0, 1, 2, 3, 4]}]})

    name: Name | None = None
    question: Notes | None = None
    seeds: list[int] = Field([], min_length=1, max_length=MOST_SEEDS, description="Seeds can only be added.")

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)

    def added(self, seeds: Sequence[int]) -> list[int]:
        """What it adds to these seeds. Invalid where one of them is missing, or a seed is none."""
        if "seeds" not in self.model_fields_set:
            return []
        _refuse(list(_seed_problems(self.seeds, {})))
        missing = [seed for seed in seeds if seed not in self.seeds]
        if missing:
            reason = f"Seeds can only be added; {', '.join(map(str, missing))} of before is missing"
            raise Invalid(f"{reason}.", errors=[FieldProblem("/seeds", reason, "seed_missing", self.seeds)])
        return [seed for seed in self.seeds if seed not in seeds]


def _factor_problems(factors: Mapping[str, list[Any]], base: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for name, values in factors.items():
        where = pointer(("factors", name))
        path = name.split(".")
        if path[0] in NOT_FACTORS:
            yield FieldProblem(where, f"{name} cannot be a factor", "not_a_factor", name)
        elif len(path) > DEEPEST_FACTOR or printable(name) != name:
            yield FieldProblem(where, "There is no such field", "extra_forbidden", name)
        elif not values:
            yield FieldProblem(where, "Give at least one value", "too_short", values)
        elif len({json.dumps(value, sort_keys=True) for value in values}) < len(values):
            yield FieldProblem(where, "Give each value once", "repeated_value", values)
        elif any(".".join(path[:depth]) in factors for depth in range(1, len(path))):
            yield FieldProblem(where, f"{name} is part of another factor", "given_twice", name)
        else:
            yield from _base_problems(name, path, base)


def _base_problems(name: str, path: Sequence[str], base: Any) -> Iterator[FieldProblem]:
    """What stands in the way of putting a value at the path of a factor into base."""
    for depth, field in enumerate(path):
        if not isinstance(base, dict):
            where = pointer(("base", *path[:depth]))
            yield FieldProblem(where, f"Should be an object, for {name} to vary in it", "model_type", base)
            return
        if field not in base or base[field] is None:
            return
        if field == "dropout" and path != [field] and isinstance(base[field], int | float):
            return  # one number for both places, of which the factor varies one
        base = _as_object(field, base[field])
    yield FieldProblem(pointer(("factors", name)), f"{name} is in base too; give it once", "given_twice", name)


def _seed_problems(seeds: list[int], base: Mapping[str, Any]) -> Iterator[FieldProblem]:
    if "seed" in base:
        yield FieldProblem("/base/seed", "Give seeds in `seeds`", "not_allowed", base["seed"])
    for index, seed in enumerate(seeds):
        where = pointer(("seeds", index))
        if not 0 <= seed <= LARGEST_SAFE_INTEGER:
            yield FieldProblem(where, f"A seed lies from 0 to {LARGEST_SAFE_INTEGER}", "out_of_bounds", seed)
        elif seed in seeds[:index]:
            yield FieldProblem(where, "Give each seed once", "repeated_value", seed)


def _with(values: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy with `value` at the path."""
    head, *rest = path
    inner = values.get(head)
    return {**values, head: _with(_as_object(head, {} if inner is None else inner), rest, value) if rest else value}


def _as_object(field: str, value: Any) -> Any:
    """Fields with a short form, spelt out, so that a factor can reach into them."""
    if field == "activation" and isinstance(value, str):
        return {"name": value}
    if field == "dropout" and isinstance(value, int | float):
        return {"conv": value, "dense": value}
    return value


def _located(error: ValidationError, origins: Mapping[str, str], base: Mapping[str, Any]) -> list[FieldProblem]:
    """The spec's problems, pointed at where the study says the value: a factor, a seed, or base."""
    problems = field_problems(error.errors())
    for problem in problems:
        problem.pointer = _origin(problem.pointer, origins, base)
    return problems


def _origin(found: str, origins: Mapping[str, str], base: Mapping[str, Any]) -> str:
    for inner, outer in origins.items():
        if found == inner or found.startswith(f"{inner}/"):
            return outer + found.removeprefix(inner)
        if found and inner.startswith(f"{found}/") and found.split("/")[1] not in base:  # made for this factor alone
            return outer
    return f"/base{found}"


def _refuse(problems: Sequence[FieldProblem]) -> None:
    if problems:
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        detail = f"The study is not valid: {problems[0].pointer}: {problems[0]}{more}."
        raise Invalid(detail, errors=list(problems))


def _check_distinct(found: list[ExperimentSubmission]) -> None:
    seen: set[str] = set()
    for submission in found:
        spelled = submission.model_dump_json()
        if spelled in seen:
            problem = FieldProblem("/factors", "Two values of a factor mean the same", "repeated_value")
            raise Invalid(f"The study holds {submission.activation.label} twice.", errors=[problem])
        seen.add(spelled)
