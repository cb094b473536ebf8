"""A study: grids of experiments that share a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.domain import factors
from service.domain.activations.registry import Registry
from service.domain.activations.selection_schema import FORMULA_EXAMPLE
from service.domain.comparisons.cells import Factors as Group
from service.domain.comparisons.cells import key, label
from service.domain.errors import FieldProblem, Invalid
from service.domain.grids import Block, Factor, refuse
from service.domain.nested import merged
from service.domain.presets import PRESETS, PresetName, over_preset
from service.domain.problems import pointer
from service.domain.spec import ExperimentSubmission
from service.domain.strict import StrictModel
from service.domain.text import LONGEST_NAME, Name, Notes, Tags, Text
from service.domain.tuning import NOT_FRESH, RATE, Tuning

EXAMPLES: list[Any] = [
    {"preset": "quick"},
    {
        "name": "dropout and activation",
        "question": "Does the best activation depend on dropout?",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["relu", "swish"], "dropout": [0, 0.25]},
        "reference": {"activation": "relu", "dropout": 0.25},
        "seeds": [0, 1, 2, 3, 4],
    },
    {
        "name": "is a learned bend worth it",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["mish", FORMULA_EXAMPLE]},
        "reference": "mish",
        "seeds": [0, 1, 2, 3, 4],
    },
    {
        "name": "two questions, one study",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "grids": [
            {
                "name": "depth",
                "base": {},
                "factors": {"activation": ["relu", "tanh"], "model.dense_layers": [1, 3]},
                "seeds": [0, 1],
            },
            {
                "name": "rate",
                "base": {"activation": "relu"},
                "factors": {"optimizer.learning_rate": [0.001, 0.01]},
                "seeds": [0],
            },
        ],
        "seeds": [0, 1],
    },
    {
        "name": "each at its best rate",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["relu", "swish"]},
        "reference": "relu",
        "seeds": [0, 1, 2, 3, 4],
        "tuning": {"rates": [0.0003, 0.001, 0.003], "seeds": [1000, 1001]},
    },
]

FIVE_SEEDS = [0, 1, 2, 3, 4]
"""The usual seeds: five found every difference of 1.8 points or more in 60 real runs (docs/comparisons.md)."""

MOST_SEEDS = 1000
MOST_FACTORS = 50  # more than a spec has fields
MOST_GRIDS = 50
MOST_LISTED = 10  # groups that a refusal lists
DEEPEST_VALUE = 8  # levels of lists and objects; no field of a spec has more than four


def _shallow(value: Any) -> Any:
    if not _is_shallow(value, DEEPEST_VALUE):
        raise PydanticCustomError("nested_too_deeply", "Lists and objects nest at most 8 levels")
    return value


def _is_shallow(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)


Seeds = Annotated[list[int], Field(min_length=1, max_length=MOST_SEEDS)]
Fields = Annotated[dict[str, Any], AfterValidator(_shallow)]
Factors = Annotated[dict[str, list[Any]], AfterValidator(_shallow), Field(max_length=MOST_FACTORS)]
Reference = Annotated[
    Text | bool | int | float | Fields | None,
    Field(
        description="The group that comparisons of the study compare the others with, written as `versus` of a"
        " comparison: the value of the only factor, or an object of factors; null compares all pairs.",
        examples=["relu", {"activation": "relu", "epochs": 3}],
    ),
]


class Grid(StrictModel):
    """One of several grids of a study: its base goes over the study's, its factors add to the study's."""

    name: Annotated[Name, Field(min_length=1)]
    base: Fields = Field({}, description="Spec fields that the experiments of this grid share.")
    factors: Factors = Field({}, description="Dotted spec paths, each with the values to try.")
    seeds: Seeds | None = Field(None, description="Null takes the study's seeds, those added later included.")


class StudySpec(StrictModel):
    """A grid over any spec fields times seeds, several grids, or a preset with the client's fields put over it."""

    model_config = ConfigDict(json_schema_extra={"examples": EXAMPLES})

    preset: PresetName | None = Field(
        None,
        description="Where the other fields start; what is given goes over it: a field of base is fixed in every grid,"
        " a factor varied in every grid, and seeds are those of every grid.",
    )
    name: Name | None = None
    question: Notes | None = None
    notes: Notes | None = Field(None, description="Notes in Markdown.")
    tags: Tags = []
    base: Fields = Field({}, description="Spec fields that all experiments share.", examples=[{"epochs": 3}])
    factors: Factors = Field(
        {},
        description="Dotted spec paths, each with the values to try.",
        examples=[{"activation": ["relu", "swish"], "optimizer.learning_rate": [0.001, 0.003]}],
    )
    grids: list[Grid] = Field(
        [],
        max_length=MOST_GRIDS,
        description="Several grids, which share base and factors. What two of them have in common is trained once.",
    )
    seeds: Seeds = FIVE_SEEDS
    reuse: bool = Field(
        False,
        description="Train nothing again that has been: finished experiments of the same spec, seed, version and"
        " fingerprint count for this study too.",
    )
    tuning: Tuning | None = Field(
        None,
        description="Tune the learning rate of every cell before it is ranked: on validation images, over seeds of its"
        " own. The ranking is queued when all of that has ended.",
    )
    reference: Reference = None

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, fields: Any) -> Any:
        return over_preset(fields) if isinstance(fields, dict) and fields.get("preset") in list(PRESETS) else fields

    @property
    def size(self) -> int:
        """The largest number of experiments that it can hold, tuning included; grids may have some in common."""
        return sum(block.size for block in [*self.blocks(), *self._tuning_blocks()])

    def blocks(self) -> list[Block]:
        """Return its grids, each with the fields that they share."""
        shared = _factors(self.factors, ())
        if not self.grids:
            return [Block(self.base, shared, self.seeds)]
        return [self._block(index, grid, shared) for index, grid in enumerate(self.grids)]

    def _tuning_blocks(self) -> list[Block]:
        if self.tuning is None:
            return []
        rates = Factor(RATE, self.tuning.rates, ("tuning", "rates"))
        seeds = self.tuning.seeds
        return [
            replace(block, factors=[*block.factors, rates], seeds=seeds, seeds_place=("tuning", "seeds"))
            for block in self.blocks()
        ]

    def _block(self, index: int, grid: Grid, shared: list[Factor]) -> Block:
        place = ("grids", index)
        own = grid.seeds is not None
        return Block(
            base=merged(self.base, grid.base),
            factors=[*shared, *_factors(grid.factors, place)],
            seeds=self.seeds if grid.seeds is None else grid.seeds,
            seeds_place=(*place, "seeds") if own else ("seeds",),
            own=frozenset(pointer((name,))[1:] for name in grid.base),
            place=place,
        )

    def experiments(self, registry: Registry | None = None) -> list[ExperimentSubmission]:
        """Return its experiments grid by grid, seed by seed, cell by cell, each once.

        The registry has the formulas of registered activations. Raises Invalid, naming every wrong field.
        """
        return _made(self.blocks(), registry, self._problems())

    def tuning_experiments(self, registry: Registry | None = None) -> list[ExperimentSubmission]:
        """Return every cell with every rate and every seed of its tuning; empty without tuning."""
        return _made(self._tuning_blocks(), registry, self._problems())

    def tuner(self) -> "StudySpec | None":
        """Return the study that tries the rates for this one."""
        if self.tuning is None:
            return None
        grids = [grid.model_copy(update={"seeds": None}) for grid in self.grids]
        fields = {"name": f"{self.name or 'a study'}: learning rates"[:LONGEST_NAME]}
        unset: dict[str, Any] = {"question": None, "notes": None, "tags": [], "preset": None}
        varied = {**self.factors, RATE: self.tuning.rates}
        return self.model_copy(
            update={
                **fields, **unset, "factors": varied, "grids": grids, "seeds": self.tuning.seeds, "tuning": None,
                "reference": None,
            }
        )  # fmt: skip

    def cells(self, registry: Registry | None = None) -> list[ExperimentSubmission]:
        """Return each cell with seed 0, once for each grid that has it."""
        cells = [replace(block, seeds=[0]).first_experiments(registry)[0] for block in self.blocks()]
        return [cell for block_cells in cells for cell in block_cells]

    def with_seeds(self, seeds: list[int]) -> "StudySpec | None":
        """Return the grids that take the study's seeds, over these seeds; None where every grid has seeds of its
        own."""
        grids = [grid for grid in self.grids if grid.seeds is None]
        return None if self.grids and not grids else self.model_copy(update={"seeds": seeds, "grids": grids})

    def grid(self, name: str) -> "StudySpec":
        """Return the study as if it had this grid alone. Raises Invalid, naming the parameter `grid`, for an unknown
        grid."""
        grids = [grid for grid in self.grids if grid.name == name]
        if not grids:
            known = ", ".join(grid.name for grid in self.grids) or "none with a name"
            reason = f"The study has no grid {name!r}; it has {known}"
            raise Invalid(f"{reason}.", errors=[FieldProblem("grid", reason, "unknown_grid", name)])
        return self.model_copy(update={"grids": grids})

    def varied(self) -> list[str]:
        """Return the paths in which its experiments differ by design: its factors, and fields that differ between
        its grids."""
        paths = [factor.path for block in self.blocks() for factor in block.factors]
        bases = [block.base for block in self.blocks()]
        differing = [name for base in bases for name in base if any(other.get(name) != base[name] for other in bases)]
        rates = [RATE] if self.tuning is not None else []
        all_paths = list(dict.fromkeys([*paths, *differing, *rates]))
        return [path for path in all_paths if not any(path.startswith(f"{other}.") for other in all_paths)]

    def grouping(self) -> list[str]:
        """Return the paths that its experiments are grouped by: those that it varies, else the activation."""
        return list(dict.fromkeys(map(factors.groupable, self.varied()))) or ["activation"]

    def reference_group(self) -> Group | None:
        """Return the factors that its reference names. Raises Invalid where a study of several factors has a bare
        value.

        A rate that is tuned is not among them, since it is chosen later.
        """
        if self.reference is None:
            return None
        paths = [path for path in self.grouping() if self.tuning is None or path != RATE]
        return factors.group_named(self.reference, paths or ["activation"], "/reference")

    def check_reference(self, registry: Registry | None = None) -> None:
        """Raise Invalid unless its reference, if any, is one group of the study or of one of its grids."""
        group = self.reference_group()
        if group is None:
            return
        groups = self._groups(registry)
        named = sum(key(group) <= key(other) for other in groups)
        if named == 1 or any(self.grid(grid.name).has_group(group, registry) for grid in self.grids):
            return
        known = "; ".join(label(other) for other in groups[:MOST_LISTED])
        more = f"; and {len(groups) - MOST_LISTED} more" if len(groups) > MOST_LISTED else ""
        number = f"{named} groups" if named else "no group"
        reason = (
            f"{label(group)} names {number} of the study; name one of {known}{more}, or give null to compare all pairs"
        )
        code = "ambiguous_group" if named else "unknown_group"
        raise Invalid(f"reference: {reason}.", errors=[FieldProblem("/reference", reason, code, self.reference)])

    def compares_with_one(self, grid: str | None, registry: Registry | None = None) -> bool:
        """Return whether its reference is one group of the study, or of the grid with this name."""
        group = self.reference_group()
        return group is not None and (self if grid is None else self.grid(grid)).has_group(group, registry)

    def has_group(self, group: Group, registry: Registry | None = None) -> bool:
        """Return whether exactly one of its groups has these factors."""
        return sum(key(group) <= key(other) for other in self._groups(registry)) == 1

    def _groups(self, registry: Registry | None) -> list[Group]:
        """Return the factors of its groups, each once, in the order of its cells."""
        paths = self.grouping()
        specs = (cell.spec.model_dump(mode="json") for cell in self.cells(registry))
        groups = ({path: factors.value(spec, path) for path in paths} for spec in specs)
        return list({key(group): group for group in groups}.values())

    def _problems(self) -> list[FieldProblem]:
        """Return the problems that concern several parts together."""
        names = [grid.name for grid in self.grids]
        used = {seed for block in self.blocks() for seed in block.seeds}
        return [
            FieldProblem(pointer(("tuning", "seeds", index)), NOT_FRESH, "not_fresh", seed)
            for index, seed in enumerate(self.tuning.seeds if self.tuning else [])
            if seed in used
        ] + [
            FieldProblem(pointer(("grids", index, "name")), "Give each grid a name of its own", "repeated_value", name)
            for index, name in enumerate(names)
            if name in names[:index]
        ]


class StudyPatch(BaseModel):
    """A JSON merge patch: a field that is left out stays, null clears. `seeds` is the whole list, old ones included."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"seeds": [0, 1, 2, 3, 4]}]})

    name: Name | None = None
    question: Notes | None = None
    notes: Notes | None = Field(None, description="Notes in Markdown.")
    tags: Tags | None = None
    archived: bool | None = Field(
        None,
        description="Whether lists leave the study out, with those of its experiments that no other study counts; null"
        " changes nothing.",
    )
    seeds: Seeds = Field(default_factory=list[int], description="Seeds can only be added.")
    reference: Reference = None

    def changes(self) -> dict[str, Any]:
        """Return the columns to change with their values, and the tags, which are an empty list where they are
        cleared."""
        edits = self.model_dump(exclude_unset=True, exclude={"archived"})
        return edits | {"tags": edits["tags"] or []} if "tags" in edits else edits

    def added(self, seeds: Sequence[int]) -> list[int]:
        """Return the seeds that it adds to these. Raises Invalid where one of these is missing, or a new one is no
        seed."""
        if "seeds" not in self.model_fields_set:
            return []
        refuse(list(Block({}, [], self.seeds).seed_problems()))
        missing = [seed for seed in seeds if seed not in self.seeds]
        if missing:
            reason = f"Seeds can only be added; {', '.join(map(str, missing))} of before is missing"
            raise Invalid(f"{reason}.", errors=[FieldProblem("/seeds", reason, "seed_missing", self.seeds)])
        return [seed for seed in self.seeds if seed not in seeds]


def _factors(values_of: Mapping[str, list[Any]], place: tuple[str | int, ...]) -> list[Factor]:
    return [Factor(path, values, (*place, "factors", path)) for path, values in values_of.items()]


def _made(
    blocks: Sequence[Block], registry: Registry | None, problems: Sequence[FieldProblem]
) -> list[ExperimentSubmission]:
    refuse(problems)
    refuse([problem for block in blocks for problem in block.problems()])
    made = [block.first_experiments(registry) for block in blocks]
    refuse([problem for _, problems in made for problem in problems])
    submissions: dict[tuple[str, int], ExperimentSubmission] = {}
    for block, (cells, _) in zip(blocks, made, strict=True):
        distinct = _distinct(cells, pointer((*block.place, "factors")))
        # Seeds are outermost, so that the queue trains all cells with one seed before the next seed, and half a study
        # has whole pairs.
        for seed in block.seeds:
            submissions |= {(text, seed): cell.with_seed(seed) for text, cell in distinct.items()}
    return list(submissions.values())


def _distinct(cells: Iterable[ExperimentSubmission], where: str) -> dict[str, ExperimentSubmission]:
    """Return cells by their JSON. Raises Invalid where one grid holds the same one twice."""
    by_text: dict[str, ExperimentSubmission] = {}
    for cell in cells:
        if cell.but_seed in by_text:
            problem = FieldProblem(where, "Two values of a factor mean the same", "repeated_value")
            raise Invalid(f"The study holds {cell.activation.label} twice.", errors=[problem])
        by_text[cell.but_seed] = cell
    return by_text
