"""A report's sentences, figures and pages, from made figures."""

import base64
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from service.domain.activations.catalogue import CATALOGUE
from service.domain.article_claims.answer import ArticleClaim, ClaimPart
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.comparisons.curves import Trace, curve, curves
from service.domain.report import Machine, Report, SubmittedStudy, Unfinished, conclusion
from service.domain.status import Cause, Status
from service.report import figures, pages, palette
from service.report.sections import sections
from tests.conftest import ROOT
from tests.report.test_tables import check_latex

PAGES = ROOT / "service/dashboard/app"
FAR = {"relu": [0.98, 0.981, 0.982, 0.983], "sigmoid": [0.90, 0.902, 0.903, 0.905]}
CLOSE = {"relu": [0.98, 0.99, 0.97, 0.96], "swish": [0.97, 0.98, 0.99, 0.965]}


def make_cell(activation: Any, values: list[float], **counts: Any) -> Cell:
    return Cell({"activation": activation}, dict(enumerate(values)), **counts)


def make_report(cells: list[Cell], **overrides: Any) -> Report:
    study = SubmittedStudy(
        "0190",
        "a | study",
        "Which <b>one</b>?",
        {"factors": {"activation": ["relu"]}},
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    traces = {seed: Trace([0.5, 0.6, 0.7 + seed / 100], [1.0, 1.0, 1.0]) for seed in range(3)}
    drawn = [curve(cell.factors, traces) for cell in cells]
    machine = Machine(
        8, "cpu", "A processor", "AVX2", 2, "float32", "single", {"actlab": "0.1.0", "torch": "2.13"}, False
    )
    fields: dict[str, Any] = {
        "study": study,
        "progress": {Status.SUCCEEDED: sum(len(cell.values) for cell in cells)},
        "comparison": compare(cells, "test_accuracy"),
        "cells": cells,
        "others": [compare(cells, "best_test_accuracy")],
        "curves": [curves("validation_accuracy", drawn, None, [])],
        "machines": [machine],
    }
    return Report(**{**fields, **overrides})


def cells_of(groups: dict[str, list[float]]) -> list[Cell]:
    return [make_cell(name, values) for name, values in groups.items()]


def conclusion_of(cells: list[Cell], **overrides: Any) -> str:
    return " ".join(conclusion(make_report(cells, **overrides)))


def test_conclusion_names_a_group_that_beats_all_others() -> None:
    sentences = conclusion(make_report(cells_of(FAR)))
    assert sentences[0] == "relu is better than every other group; 1 of 1 pairs of groups differ."
    assert sentences[1].startswith("1 test of all pairs of groups, corrected together")


def test_conclusion_does_not_rank_groups_that_do_not_differ() -> None:
    assert conclusion_of(cells_of(CLOSE)).startswith("No difference between groups was found: 0 of 1 pairs")


def test_conclusion_names_several_leading_groups_together() -> None:
    sentence = conclusion_of(cells_of({**CLOSE, "sigmoid": [0.5, 0.51, 0.52, 0.53]}))
    assert sentence.startswith("No group is significantly better than swish or relu; 2 of 3 pairs of groups differ.")


def test_conclusion_names_equivalent_groups() -> None:
    same = {name: [0.98 + seed / 1e4 for seed in range(8)] for name in ("relu", "swish")}
    sentence = conclusion_of(cells_of(same))
    assert "Equivalent, with a difference of less than 0.5 percentage points: relu and swish." in sentence


def test_conclusion_against_one_group_lists_the_verdicts() -> None:
    cells = cells_of({**FAR, "tanh": [0.979, 0.982, 0.981, 0.984], "step": [0.1, 0.11, 0.1, 0.12]})
    comparison = compare(cells, "test_accuracy", {"activation": "relu"})
    sentence = conclusion_of(cells, comparison=comparison)
    assert sentence.startswith("Against relu \N{EN DASH} worse: sigmoid and step; equivalent: tanh.")
    assert "Equivalent means a difference of less than 0.5 percentage points." in sentence


@pytest.mark.parametrize(
    ("cells", "start"),
    [
        ([], "No experiment has given a figure yet."),
        ([make_cell("relu", [])], "No experiment has given a figure yet."),
        ([make_cell("relu", [0.9, 0.91])], "There is one group with figures, relu: nothing"),
        ([make_cell("relu", [0.9]), make_cell("tanh", [0.8])], "No pair of groups could be tested"),
    ],
)
def test_conclusion_with_few_figures(cells: list[Cell], start: str) -> None:
    assert conclusion_of(cells).startswith(start)


def test_conclusion_of_an_unfinished_study_begins_with_that() -> None:
    sentence = conclusion_of(cells_of(FAR), progress={Status.SUCCEEDED: 8, Status.RUNNING: 1, Status.QUEUED: 3})
    assert sentence.startswith("4 of 12 experiments are not finished")


def test_conclusion_names_groups_with_diverged_runs() -> None:
    cells = [make_cell("relu", [0.9, 0.91, 0.92], n_diverged=2), make_cell("tanh", [0.8, 0.81, 0.82])]
    assert "relu: 2 of 5 runs diverged, so no test compares it with the others." in conclusion_of(cells)


class Page(HTMLParser):
    """The tags of a page, and the address of everything that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_loads_nothing_from_elsewhere() -> None:
    page = Page(pages.html(make_report(cells_of(FAR))))
    assert page.loads
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.loads)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "Which <b>one</b>?" in page.text  # as text
    assert "b" not in page.tags


def test_figures_are_svg_without_links() -> None:
    page = Page(pages.html(make_report(cells_of(FAR))))
    for address in page.loads:
        root = ElementTree.fromstring(base64.b64decode(address.partition(",")[2]))
        assert root.tag.endswith("svg")
        links = [value for element in root.iter() for name, value in element.attrib.items() if name.endswith("href")]
        assert all(link.startswith("#") for link in links)


def test_html_of_equal_reports_is_equal() -> None:
    assert pages.html(make_report(cells_of(FAR))) == pages.html(make_report(cells_of(FAR)))


def test_markdown_escapes_text() -> None:
    text = pages.markdown(make_report(cells_of(FAR)))
    assert text.startswith("# a \\| study\n")
    assert "Which \\<b\\>one\\</b\\>?" in text
    columns = {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| relu |")}
    assert len(columns) == 2  # of two tables, each with as many cells as heads


def test_tables_have_a_head_for_every_column() -> None:
    cells = [make_cell("relu", FAR["relu"], n_diverged=1), make_cell("tanh", [0.5])]
    failed = [Unfinished({"activation": "relu"}, Status.FAILED, Cause.DIVERGED, Cause.DIVERGED.remedy, [3])]
    for section in sections(make_report(cells, unfinished=failed)):
        if section.table is not None:
            assert {len(row) for row in section.table.rows} == {len(section.table.heads)}, section.title


def test_article_claims_section_has_the_deciding_figures() -> None:
    parts = [
        ClaimPart(title="A(tanh) - A(relu)", verdict="supported", n=5, mean=0.2, interval=(0.1, 0.3),
                  confidence=0.95, limit=0.05, unit="ln nats"),
        ClaimPart(title="step time", verdict="undecided", missing=["seeds 3 and 4"]),
    ]  # fmt: skip
    claim = ArticleClaim(
        number=5, claim="ReLU trains faster.", rule="V", verdict="undecided", missing=["seeds 3 and 4"], parts=parts
    )
    text = pages.markdown(make_report(cells_of(FAR), article_claims=[claim]))
    assert (
        "| 5. ReLU trains faster. | undecided | The speed of learning A of tanh minus that of relu is 0.2 ln nats (95 %"
        " interval 0.1 to 0.3, 5 seeds, limit 0.05): supported. Step time: undecided, because it needs seeds 3 and 4. |"
    ) in text


def ticks_of(svg: str, axis: str) -> list[str]:
    """Return the labels of an axis, which matplotlib repeats in comments beside their outlines."""
    return re.findall(rf'<g id="{axis}tick_\d+">.*?<!-- (.*?) -->', svg, re.DOTALL)


@pytest.mark.parametrize("epochs", [1, 2, 3, 7])
def test_curves_figure_has_whole_epochs(epochs: int) -> None:
    traces = {seed: Trace([0.5 + 0.01 * epoch for epoch in range(epochs)], [1.0] * epochs) for seed in range(3)}
    drawn = curves("validation_accuracy", [curve({"activation": "relu"}, traces)], None, [])
    labels = ticks_of(figures.curves_figure([drawn]), "x")
    assert "1" in labels
    assert all(re.fullmatch(r"\d+", label) for label in labels), labels


def test_ranks_figure_has_the_best_on_the_left_and_a_bar() -> None:
    cells = cells_of({"tanh": [0.5, 0.51, 0.52, 0.53], **CLOSE})
    svg = figures.ranks_figure(compare(cells, "test_accuracy"), cells)
    assert ticks_of(svg, "x") == ["1", "2", "3"]
    texts = re.findall("<!-- (.*?) -->", svg)
    assert [text.strip() for text in texts if "(" in text] == ["swish (1.5)", "relu (1.5)", "tanh (3)"]


@pytest.mark.parametrize(("count", "versus", "ranked"), [(3, None, True), (2, None, False), (16, None, False),
                                                         (3, {"activation": "f0"}, False)])  # fmt: skip
def test_ranking_is_drawn_for_all_pairs_of_a_few_groups(count: int, versus: Any, ranked: bool) -> None:
    cells = [make_cell(f"f{place}", [0.9 - place / 100, 0.8, 0.7]) for place in range(count)]
    report = make_report(cells, comparison=compare(cells, "test_accuracy", versus))
    assert ("Ranking" in [section.title for section in sections(report)]) == ranked


def test_figures_cut_long_names() -> None:
    cells = [make_cell("x + " * 200 + "x", FAR["relu"]), make_cell("tanh", FAR["sigmoid"])]
    page = Page(pages.html(make_report(cells)))  # a figure without room for its axes would be a warning
    assert "x + " * 200 + "x" in page.text


def test_result_has_a_column_for_reasons_that_occur() -> None:
    cells = [make_cell("relu", FAR["relu"], n_diverged=1), make_cell("tanh", FAR["sigmoid"])]
    (result, *_) = sections(make_report(cells))
    assert result.table is not None
    assert result.table.heads[-1] == "diverged"
    assert [row[-1] for row in result.table.rows] == ["1", "0"]


def test_report_of_two_factors_has_their_effects() -> None:
    cells = [
        Cell({"activation": name, "batch_size": size}, {0: base, 1: base + 0.01, 2: base + 0.02})
        for name, size, base in [("relu", 64, 0.9), ("relu", 128, 0.91), ("tanh", 64, 0.8), ("tanh", 128, 0.81)]
    ]
    text = pages.markdown(make_report(cells))
    assert "## Main effects" in text
    assert "relu, batch size 64" in text


@pytest.mark.parametrize(
    "cells", [[], [make_cell("relu", [])], [make_cell("relu", [0.9])], [make_cell(None, [0.9, 0.9])]]
)
def test_report_of_few_runs_is_complete(cells: list[Cell]) -> None:
    report = make_report(cells, others=[], curves=[], machines=[])
    assert "## Methods" in pages.markdown(report)
    assert "nan" not in Page(pages.html(report)).text


def test_result_shows_all_names_of_a_group() -> None:
    bits = {seed: str(seed) for seed in range(4)}
    same = [make_cell(name, FAR["relu"], bits=bits) for name in ("swish", "silu")]
    result = sections(make_report([*same, make_cell("sigmoid", FAR["sigmoid"])]))[0]
    assert result.table is not None
    assert [row[0] for row in result.table.rows] == ["silu = swish", "sigmoid"]
    assert "bit for bit" in result.lead


def test_report_has_a_command_that_repeats_the_study() -> None:
    spec = {"name": "it's", "factors": {"activation": ["relu"]}, "seeds": [0]}
    study = SubmittedStudy("1", None, None, spec, datetime(2026, 1, 2, tzinfo=UTC))
    last = sections(make_report([], study=study))[-1]
    assert "it'\"'\"'s" in last.code  # as a shell reads it
    assert last.code.startswith("curl http://127.0.0.1:8000/api/v1/studies ")


def test_style_of_an_activation_is_that_of_the_palette_file() -> None:
    styles = json.loads((PAGES / "charts" / "palette.json").read_text())
    blue = styles["hues"]["blue"]["light"]
    assert styles["activations"]["relu"] == {"hue": "blue", "symbol": "circle"}
    assert palette.style_of({"activation": "relu"}, 3) == palette.Style(blue, "o")


def test_palette_names_only_hues_symbols_and_functions_that_exist() -> None:
    marks = re.findall(r'^  (\w+): "M', (PAGES / "charts" / "symbols.js").read_text(), re.MULTILINE)
    assert marks == palette.SYMBOLS
    assert {hue for hue, _ in palette.OF_ACTIVATION.values()} <= palette.HUES.keys()
    assert {symbol for _, symbol in palette.OF_ACTIVATION.values()} <= set(palette.SYMBOLS)
    assert palette.OF_ACTIVATION.keys() <= CATALOGUE.keys()


def test_latex_is_a_whole_document(tmp_path: Path) -> None:
    cells = cells_of({"50% a_b & {c} \\d": FAR["sigmoid"], "x * x": FAR["relu"], "tanh": [0.5, 0.51, 0.52]})
    text = pages.latex(make_report(cells))
    check_latex(text)
    assert "\n$x^2$ & 4 & 98.15 & " in text
    assert r"50\% a\_b \& \{c\} \textbackslash{}d" in text
    assert r"\emph{Which \textless{}b\textgreater{}one\textless{}/b\textgreater{}?}" in text
    if shutil.which("pdflatex") is not None:
        (tmp_path / "report.tex").write_text(text)
        subprocess.run(["pdflatex", "-halt-on-error", "report.tex"], cwd=tmp_path, check=True, capture_output=True)


def test_csv_is_the_table_of_the_result() -> None:
    assert pages.csv(make_report(cells_of(FAR))).startswith("group,activation,n,")
