"""Tables for the terminal."""

import io
from typing import Any

from rich.console import Console

from actlab.tables import comparison_table
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare


def printed(cells: list[Cell], **options: Any) -> str:
    comparison = compare(cells, "test_accuracy", **options).model_dump(mode="json")
    output = io.StringIO()
    Console(file=output, width=80).print(comparison_table(comparison))
    return output.getvalue()


def test_comparison_table_shows_all_names_of_a_group() -> None:
    cells = [Cell({"activation": name}, {0: 0.9}, bits={0: "a"}) for name in ("swish", "silu")]
    assert "silu = swish" in printed(cells)


def test_comparison_table_against_a_reference_says_what_was_found() -> None:
    values = {"relu": [0.95, 0.951, 0.952, 0.953], "tanh": [0.9, 0.9011, 0.902, 0.9032]}
    cells = [Cell({"activation": name}, dict(enumerate(numbers))) for name, numbers in values.items()]
    relu = {"activation": "relu"}
    table = printed(cells, versus=relu, reference=relu)
    assert "rank" not in table
    assert "<0.001  worse" in table
    assert "Against relu \N{EN DASH} worse: tanh. 1 test against relu, the study's reference" in " ".join(table.split())
