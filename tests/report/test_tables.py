"""Tables of comparisons as CSV, Markdown and LaTeX, with names that none of the formats may take for syntax."""

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.domain.choices import TableRows
from service.domain.comparison_table import table_of
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.report import tables

HOSTILE = "=50% a_b #1 {x} $5 & c\\d ~ ^ --[*] \N{LATIN SMALL LETTER E WITH ACUTE}"
FORMULA = "x * sigmoid(alpha * x) (alpha=2 learnable)"
RELU = {"activation": "relu"}
VALUES = {
    "relu": [0.959, 0.961, 0.957, 0.958, 0.960],
    FORMULA: [0.960, 0.961, 0.962, 0.959, 0.963],
    HOSTILE: [0.890, 0.910, 0.880, 0.900, 0.895],
}


def make_comparison(values: dict[str, list[float]] = VALUES, **options: Any) -> Comparison:
    return compare(
        [Cell({"activation": name}, dict(enumerate(of_name))) for name, of_name in values.items()],
        "test_accuracy",
        **options,
    )


def against_relu(**options: Any) -> Comparison:
    return make_comparison(versus=RELU, reference=RELU, **options)


def read_csv(comparison: Comparison, rows: TableRows = "groups") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables.csv(table_of(comparison, rows)), newline="")))


def latex_rows(text: str) -> list[list[str]]:
    """Return the cells of the rows between the rules, as LaTeX reads them: at every & without a backslash."""
    body = text.partition("\\midrule")[2].partition("\\bottomrule")[0]
    return [re.split(r"(?<!\\)&", line.removesuffix("\\\\")) for line in body.strip().splitlines()]


def check_latex(text: str) -> None:
    """Fail where braces, math or environments do not close, or a sign of LaTeX's own stands unescaped."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    bare = re.sub(r"\\[\\%_#{}$&]", "", plain)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    text_only = re.sub(r"\$[^$]*\$", "", bare)
    assert not set("%#^~_") & set(text_only)
    open_: list[str] = []
    for kind, name in re.findall(r"\\(begin|end){(\w+)}", plain):
        if kind == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert open_ == []


def test_csv_has_all_digits_and_the_family() -> None:
    comparison = against_relu()
    rows = read_csv(comparison)
    best, pair = comparison.groups[0], comparison.pairs[0]
    assert best.interval is not None
    assert [row["group"] for row in rows] == [FORMULA, "relu", f"'{HOSTILE}"]
    assert (float(rows[0]["mean"]), float(rows[0]["mean_low"])) == (best.mean, best.interval[0])
    assert (float(rows[0]["difference"]), rows[0]["verdict"]) == (pair.difference, pair.verdict)
    assert float(rows[2]["difference"]) < 0  # a negative number is no formula
    assert (rows[1]["difference"], rows[1]["verdict"]) == ("", "reference")
    assert {(row["versus"], row["tests"], row["p_correction"]) for row in rows} == {("activation=relu", "2", "Holm")}


def test_csv_has_a_column_for_each_factor_and_seed() -> None:
    cells = [Cell({"activation": "relu", "batch_norm": flag}, {3: 0.9, 7: 0.8 + flag / 10}) for flag in (True, False)]
    rows = read_csv(compare(cells, "test_accuracy", seeds=True))
    assert [(row["activation"], row["batch_norm"]) for row in rows] == [("relu", "true"), ("relu", "false")]
    assert [row["seed_7"] for row in rows] == ["0.9", "0.8"]


def test_csv_of_pairs() -> None:
    rows = read_csv(make_comparison(), "pairs")
    assert [(row["a"], row["b"]) for row in rows] == [
        (FORMULA, "relu"), (FORMULA, f"'{HOSTILE}"), ("relu", f"'{HOSTILE}"),
    ]  # fmt: skip
    assert rows[2]["verdict"] == "better"
    assert float(rows[2]["difference_low"]) > 0


def test_markdown_escapes_names_and_rounds_figures() -> None:
    lines = tables.markdown(table_of(against_relu())).splitlines()
    assert "| relu | 5 | 95.90 | 95.70 to 96.10 | 0.16 |" in lines[5]
    assert "\\_b \\#1" in lines[6]
    assert "\\[\\*\\]" in lines[6]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines[2:]}) == 1


@pytest.mark.parametrize("rows", ["groups", "pairs"])
@pytest.mark.parametrize("write", [tables.markdown, tables.latex])
def test_caption_names_the_family(write: Any, rows: TableRows) -> None:
    assert "2 tests against relu, the study's reference, corrected together (Holm, 0.05)." in write(
        table_of(against_relu(), rows)
    )
    assert "3 tests of all pairs of groups, corrected together" in write(table_of(make_comparison(), rows))


def test_latex_escapes_names_and_sets_formulas_as_math() -> None:
    text = tables.latex(table_of(against_relu()))
    check_latex(text)
    rows = latex_rows(text)
    assert {len(row) for row in rows} == {9}
    assert rows[0][0].strip() == r"$x \, \sigma\left(\alpha \, x\right)$ ($\alpha = 2$ learnable)"
    assert rows[2][0].strip() == (
        r"=50\% a\_b \#1 \{x\} \$5 \& c\textbackslash{}d \textasciitilde{} \textasciicircum{} -{}-{[}{*}{]} é"
    )
    assert rows[2][-1].strip() == "worse"
    assert rows[2][5].strip() == "$-6.40$"
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:test-accuracy-groups}"))


@pytest.mark.parametrize("name", ["\\", "%", "{", "}", "$", "&", "a\nb", "\x00", "\\\\", "[x]", "*", "<|>", "~^_#"])
def test_latex_of_any_name_is_whole(name: str) -> None:
    text = tables.latex(table_of(make_comparison({name: [0.9, 0.91, 0.92], "relu": [0.8, 0.81, 0.82]}), "pairs"))
    check_latex(text)
    assert [len(row) for row in latex_rows(text)] == [8]


def test_latex_of_several_factors_sets_only_the_formula_as_math() -> None:
    cells = [Cell({"activation": "x * x", "batch_size": size}, {0: 0.9, 1: 0.8}) for size in (1, 2)]
    assert "$x^2$, batch size 1 &" in tables.latex(table_of(compare(cells, "test_accuracy")))


def test_latex_compiles(tmp_path: Path) -> None:
    text = "".join(tables.latex(table_of(against_relu(), rows)) for rows in ("groups", "pairs"))
    head = "\\documentclass{article}\\usepackage{booktabs}\\usepackage{amsmath}\\begin{document}\n"
    (tmp_path / "paper.tex").write_text(f"{head}{text}\\end{{document}}\n")
    assert len(re.findall(r"(?<!\\){", text)) == len(re.findall(r"(?<!\\)}", text))
    if shutil.which("pdflatex"):  # which no other part of the project needs
        subprocess.run(["pdflatex", "-halt-on-error", "paper.tex"], cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize("values", [{}, {"relu": []}, {"relu": [0.9]}])
@pytest.mark.parametrize("write", tables.WRITERS.values())
def test_tables_of_few_runs(write: Any, values: dict[str, list[float]]) -> None:
    text = write(table_of(make_comparison(values)))
    assert "relu" in text if values else "relu" not in text
    assert "nan" not in text


def test_tables_show_two_digits_of_the_spread() -> None:
    losses = [Cell({"activation": name}, {0: mean, 1: mean + 30}) for name, mean in (("a", 1210.0), ("b", 1300.0))]
    text = tables.markdown(table_of(compare(losses, "seconds")))
    assert "| a | 2 | 1225 |" in text
    assert "mean (s)" in text


def test_tables_count_seeds_without_a_figure() -> None:
    cells = [Cell(RELU, {0: 0.9, 1: 0.8}, n_diverged=1), Cell({"activation": "tanh"}, {0: 0.9, 1: 0.7})]
    text = tables.markdown(table_of(compare(cells, "test_accuracy")))
    assert "| n | diverged | mean (%) |" in text
    assert "| relu | 2 | 1 |" in text
