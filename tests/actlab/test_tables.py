"""Tables for the terminal."""

import io

from rich.console import Console

from actlab.tables import comparison_table
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare


def test_comparison_table_shows_all_names_of_a_group() -> None:
    cells = [Cell({"activation": name}, {0: 0.9}, bits={0: "a"}) for name in ("swish", "silu")]
    printed = io.StringIO()
    Console(file=printed, width=80).print(comparison_table(compare(cells, "test_accuracy").model_dump(mode="json")))
    assert "silu = swish" in printed.getvalue()
