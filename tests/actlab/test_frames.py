"""Frames, tables and plots of what the clients return."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot

from actlab import Client, Comparison, Metrics, MissingLibrary, Study
from actlab.objects import frames
from actlab.objects.differences import difference
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.report.palette import style_of
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import listening

matplotlib.use("agg")

FINAL = {"relu": 0.9, "tanh": 0.8}
KINDS = ("to_pandas", "to_polars", "to_arrow")
LIBRARIES = {"to_pandas": ("pandas", "pandas"), "to_polars": ("polars", "polars"), "to_arrow": ("pyarrow", "arrow")}


@pytest.fixture
def study(settings: Settings, database: Database) -> Iterator[Study]:
    """A study of two activations over two seeds, on one database."""
    with listening(settings) as url, Client(url) as client:
        study = client.submit_study(
            base={"epochs": 2}, factors={"activation": ["relu", "tanh"]}, seeds=[0, 1], reference="relu"
        )
        states.train_queued(database, lambda spec: FINAL[spec["activation"]["name"]] + 0.01 * spec["seed"])
        yield study.refresh()


@pytest.fixture(autouse=True)
def no_figures() -> Iterator[None]:
    yield
    pyplot.close("all")


def compared(**options: Any) -> Comparison:
    values = {"relu": [0.95, 0.951, 0.952, 0.953], "tanh": [0.9, 0.9011, 0.902, 0.9032]}
    cells = [Cell({"activation": name}, dict(enumerate(numbers))) for name, numbers in values.items()]
    return Comparison(compare(cells, "test_accuracy", **options).model_dump(mode="json"))


RELU = {"activation": "relu"}
AGAINST_RELU = {"versus": RELU, "reference": RELU}


@pytest.mark.parametrize("kind", KINDS)
def test_comparison_frame_has_a_row_for_each_group(kind: str) -> None:
    frame = getattr(compared(**AGAINST_RELU), kind)()
    columns = list(getattr(frame, "column_names", None) or frame.columns)
    assert {"activation", "n", "mean", "interval_low", "interval_high", "versus.verdict"} <= set(columns)
    assert len(frame) == 2
    assert [str(value) for value in frame["activation"]] == ["relu", "tanh"]
    assert [None if str(value) in ("None", "nan") else str(value) for value in frame["versus.verdict"]] == [
        None,
        "worse",
    ]


def test_comparison_frame_has_ranks_of_all_pairs_and_a_row_for_each_pair() -> None:
    comparison = compared()
    assert list(comparison.to_pandas()["rank_best"]) == [1, 2]
    pairs = comparison.to_pandas(rows="pairs")
    assert list(pairs["a.activation"]) == ["relu"]
    assert list(pairs["b.activation"]) == ["tanh"]
    assert list(pairs["verdict"]) == ["better"]
    with pytest.raises(ValueError, match="groups or pairs"):
        comparison.to_pandas(rows="cells")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_frame_without_its_library_names_the_extra(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library, extra = LIBRARIES[kind]

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=library)

    monkeypatch.setattr(frames, "import_module", missing)
    with pytest.raises(MissingLibrary, match=rf"{library} is not installed: pip install 'actlab\[{extra}\]'"):
        getattr(compared(), kind)()


def test_plot_without_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name="matplotlib")

    monkeypatch.setattr(frames, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'actlab\[plot\]'"):
        compared().plot()


def test_frame_raises_for_a_library_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise ModuleNotFoundError(name="numpy")

    monkeypatch.setattr(frames, "import_module", broken)
    with pytest.raises(ModuleNotFoundError) as refused:
        compared().to_pandas()
    assert refused.value.name == "numpy"


@states.on_sqlite
def test_study_frames_have_a_row_for_each_experiment(study: Study) -> None:
    frame = study.to_pandas()
    assert list(frame["spec.activation.name"]) == ["relu", "tanh"] * 2
    assert list(frame["spec.seed"]) == [0, 0, 1, 1]
    assert isinstance(frame["created_at"][0], datetime)
    assert frame["created_at"][0].tzinfo is not None
    assert study.to_polars().shape[0] == study.to_arrow().num_rows == 4
    assert len(study.to_pandas(activation="relu")) == 2


@states.on_sqlite
def test_lists_and_records_have_frames(study: Study) -> None:
    experiments = list(study.iter_experiments(sort="id"))
    first = experiments[0]
    assert list(first.to_pandas()["test_accuracy"]) == [0.9]
    metrics = first.metrics()
    assert list(metrics.to_pandas()["validation_accuracy"]) == [0.5, 0.9]
    assert metrics.to_polars()["epoch"].to_list() == metrics.to_arrow()["epoch"].to_pylist() == [1, 2]
    curves = study.curves(seeds=True).to_pandas()
    assert list(curves["epoch"]) == [1, 2, 1, 2]
    assert list(curves["seed_1"][:2]) == [0.5, 0.91]
    assert difference(first, experiments[1]).to_pandas()["field"][0] == "spec.activation.name"


def test_comparison_shows_its_table_in_a_terminal_and_a_notebook() -> None:
    comparison = compared(**AGAINST_RELU)
    text, page = repr(comparison), comparison._repr_html_()
    assert "minus relu" in text
    assert "worse" in text
    assert "(reference)" in text
    assert "<th>verdict</th>" in page
    assert "<td>&lt;0.001</td>" in page
    assert "Against relu" in page


def test_tables_of_many_rows_are_cut() -> None:
    metrics = Metrics({"items": [{"epoch": epoch, "train_loss": 0.5} for epoch in range(1, 101)]})
    page = metrics._repr_html_()
    assert page.count("<tr>") == 62
    assert "… 40 more rows" in page


@states.on_sqlite
def test_curves_plot_draws_means_bands_and_published_curves(study: Study) -> None:
    axes = study.curves("validation_accuracy").plot(reference="kizrak-2019")
    lines = {line.get_label(): line for line in axes.lines}
    assert np.asarray(lines["relu (n = 2)"].get_ydata()).tolist() == pytest.approx([50.0, 90.5])
    assert lines["relu (n = 2)"].get_color() == style_of(RELU, 0).color
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [np.asarray(line.get_xdata()).size for line in dashed] == [20, 20, 0]
    assert {line.get_color() for line in dashed[:2]} == {
        lines[f"{name} (n = 2)"].get_color() for name in ("relu", "tanh")
    }
    assert len(axes.collections) == 2
    assert axes.get_ylabel() == "Validation accuracy (%)"
    assert "published (kizrak-2019)" in lines


@states.on_sqlite
def test_plots_draw_into_the_axes_of_the_caller(study: Study) -> None:
    _, axes = pyplot.subplots()
    experiment = next(study.iter_experiments(sort="id"))
    for plot in (study.plot, study.curves().plot, study.compare().plot, experiment.plot, experiment.metrics().plot):
        axes.clear()
        assert plot(axes) is axes
        assert axes.lines
    assert [line.get_label() for line in experiment.plot(metric="loss").lines] == ["validation", "train"]
    with pytest.raises(ValueError, match="accuracy or loss"):
        experiment.plot(metric="speed")


def test_diagnostics_plot_draws_each_layer() -> None:
    from actlab import Diagnostics

    layers = [
        {"epoch": epoch, "layer": layer, "zero_share": 0.1 * epoch, "saturated_share": None}
        for epoch in (1, 2)
        for layer in ("conv1", "dense1")
    ]
    diagnostics = Diagnostics({"items": layers})
    assert [line.get_label() for line in diagnostics.plot().lines] == ["conv1", "dense1"]
    with pytest.raises(ValueError, match="no figure 'zeroes'; there are epoch, zero_share"):
        diagnostics.plot("zeroes")
