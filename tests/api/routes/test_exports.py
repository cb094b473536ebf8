"""Exports: pandas reads what was stored, memory is constant, and every column is documented."""

import gc
import io
import json
import tracemalloc
from statistics import median
from typing import Any
from uuid import UUID

import httpx2
import pandas
import pyarrow
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert
from sqlalchemy.orm import Session

from service.domain.exports import formats
from service.domain.exports.__main__ import tables
from service.domain.exports.columns import DIAGNOSTICS, EPOCHS, EXPERIMENTS, SHEETS, SPEC, Column
from service.domain.exports.formats import FORMATS, RISKY, Csv, FormatName
from service.domain.factors import FACTORS
from service.domain.spec import EarlyStopping
from service.domain.status import Cause, Status
from service.settings import Settings
from service.storage.analysis import exports
from service.storage.analysis.exports import Reader
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import diagnostics
from service.storage.records.experiments import Filter
from service.storage.tables.base import new_id
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS as PATH
from tests.api.serving import STUDIES, listening
from tests.conftest import ROOT
from tests.making import make_epoch, make_layer

FORMAT_NAMES: list[FormatName] = ["csv", "parquet", "jsonl"]
DOCUMENT = ROOT / "docs" / "export.md"
LISTS = ("texts", "integers")
THIRD = 1 / 3
in_each_format = pytest.mark.parametrize("format", FORMAT_NAMES)


def download(client: TestClient, path: str = f"{PATH}/export", **query: Any) -> bytes:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.content


def read(data: bytes, format: str, columns: tuple[Column, ...] = EXPERIMENTS) -> list[dict[str, Any]]:
    """Return the rows that pandas reads, with the documented types and None for missing values."""
    stream = io.BytesIO(data)
    if format == "parquet":
        frame = pandas.read_parquet(stream)
    elif format == "csv":
        frame = pandas.read_csv(stream, dtype={c.name: "Int64" for c in columns
                                                                             if c.kind == "integer"})  # fmt: skip
    else:
        # pandas' own parser of JSON loses the last bits of a number
        frame = pandas.DataFrame([json.loads(line) for line in data.decode().splitlines()])
    assert list(frame.columns) == [column.name for column in columns]
    kinds = {column.name: column.kind for column in columns}
    return [{str(name): plain(value, kinds[str(name)], format) for name, value in row.items()}
            for row in frame.to_dict("records")]  # fmt: skip


def plain(value: Any, kind: str, format: str) -> Any:
    if kind in LISTS and not isinstance(value, str | float | None):
        return list(value)
    if pandas.isna(value):
        return None
    if isinstance(value, str) and (kind == "object" or (kind in LISTS and format == "csv")):
        return json.loads(value)
    if kind == "time":
        return pandas.Timestamp(value).to_pydatetime()
    return value


def expected(database: Database, id: UUID, columns: tuple[Column, ...], part: Any = None) -> dict[str, Any]:
    row = states.read(database, id)
    values = {column.name: column.read(row, part) for column in columns}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}


# --- round trips ---------------------------------------------------------------------------------------------------


@in_each_format
def test_export_is_read_by_pandas(client: TestClient, database: Database, format: FormatName) -> None:
    done = states.finish(
        database, THIRD, run={"seconds": 0.1 + 0.2}, name='a "b", c\nd', tags=["ü", "x,y"], seed=2**53 - 1,
        activation={"name": "swish", "parameters": {"beta": {"value": 1.5}}}, classes=[1, 7],
        early_stopping={"patience": 2}, train_samples=100,
    )  # fmt: skip
    failed = states.start(database, dropout={"conv": 0.1, "dense": 0})
    states.fail(database, failed)
    rows = read(download(client, format=format), format)
    assert rows == [expected(database, id, EXPERIMENTS) for id in (done, failed.id)]
    assert (rows[0]["test_accuracy"], rows[0]["seed"], rows[0]["dropout_conv"]) == (THIRD, 2**53 - 1, 0.25)
    assert (rows[1]["test_accuracy"], rows[1]["cause"], rows[1]["dropout_dense"]) == (None, "diverged", 0.0)


@in_each_format
def test_export_of_epochs_has_their_spec(client: TestClient, database: Database, format: FormatName) -> None:
    fence = states.start(database, activation="tanh", epochs=7)
    lost = make_epoch(2, train_loss=None, l2=None, non_finite=["train_loss", "l2"])
    with database.write("train") as session:
        for epoch in (make_epoch(1, validation_loss=THIRD), lost):
            transitions.record_epoch(session, fence, epoch)
    states.fail(database, fence)
    rows = read(download(client, format=format, rows="epochs"), format, EPOCHS)
    assert [(row["experiment_id"], row["epoch"], row["epochs"], row["activation"], row["status"]) for row in rows] == [
        (str(fence.id), 1, 7, "tanh", "failed"), (str(fence.id), 2, 7, "tanh", "failed")]  # fmt: skip
    assert [(row["validation_loss"], row["train_loss"], row["non_finite"]) for row in rows] == [
        (THIRD, 0.5, []), (0.4, None, ["train_loss", "l2"])]  # fmt: skip


@in_each_format
def test_export_of_diagnostics_has_a_row_per_layer(client: TestClient, database: Database, format: FormatName) -> None:
    fence = states.start(database, activation="tanh")
    layers = [make_layer(0), make_layer(0, "output", gradient_norm=None, non_finite=["gradient_norm"]), make_layer(1)]
    with database.write("train") as session:
        diagnostics.upsert(session, fence.id, fence.attempt, layers)
        transitions.record_epoch(session, fence, make_epoch(1))
    states.fail(database, fence)
    rows = read(download(client, format=format, rows="diagnostics"), format, DIAGNOSTICS)
    assert [(row["epoch"], row["layer"], row["non_finite"]) for row in rows] == [
        (0, "conv1", []), (0, "output", ["gradient_norm"]), (1, "conv1", [])]  # fmt: skip
    assert (rows[0]["zero_share"], rows[1]["gradient_norm"]) == (layers[0].zero_share, None)
    assert {row["experiment_id"] for row in rows} == {str(fence.id)}


@in_each_format
@states.on_sqlite
def test_export_of_no_experiments_has_columns(client: TestClient, format: FormatName) -> None:
    data = download(client, format=format)
    if format == "jsonl":
        assert data == b""
    else:
        assert read(data, format) == []


def test_export_names_non_finite_figures(client: TestClient, database: Database) -> None:
    id = states.finish(database)
    with database.write("spoil") as session:
        session.get_one(Experiment, id).test_loss = None
    (row,) = read(download(client, format="jsonl"), "jsonl")
    assert (row["test_loss"], row["non_finite"]) == (None, ["test_loss"])


# --- which, and under what name ------------------------------------------------------------------------------------


def test_export_has_ended_experiments_that_match(client: TestClient, database: Database) -> None:
    done = states.finish(database, activation="relu")
    tanh = states.start(database, activation="tanh")
    states.fail(database, tanh, Cause.TIMEOUT)
    states.start(database)
    states.queue(database)

    def ids(**query: Any) -> list[str]:
        return [row["id"] for row in read(download(client, format="jsonl", **query), "jsonl")]

    assert ids() == [str(done), str(tanh.id)]
    assert ids(status="failed") == ids(activation="tanh") == [str(tanh.id)]
    assert ids(test_accuracy_min=0.5) == [str(done)]
    assert download(client, format="jsonl", activation="gelu") == b""


def test_export_study_has_its_own_experiments(client: TestClient, database: Database) -> None:
    states.finish(database)
    study = client.post(STUDIES, json={"factors": {"activation": ["relu", "tanh"]}, "seeds": [0]}).json()["id"]
    states.finish_queued(database, lambda spec: 0.5)
    answer = client.get(f"{STUDIES}/{study}/export", params={"format": "jsonl"})
    rows = read(answer.content, "jsonl")
    assert [(row["activation"], row["study_id"]) for row in rows] == [("relu", study), ("tanh", study)]
    assert answer.headers["content-disposition"] == f'attachment; filename="study-{study}-experiments.jsonl"'
    refused(client.get(f"{STUDIES}/{states.SOME_ID}/export"), 404, "study_not_found")


@pytest.mark.parametrize(
    ("format", "media_type"),
    [("csv", "text/csv; charset=utf-8"), ("parquet", "application/vnd.apache.parquet"), ("jsonl", "application/jsonl")],
)
@states.on_sqlite
def test_export_is_an_attachment_with_a_name(client: TestClient, format: str, media_type: str) -> None:
    answer = client.get(f"{PATH}/export", params={"format": format, "rows": "epochs"})
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="actlab-epochs.{format}"'


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"rows": "images"}, {"status": "queued"}, {"status": "running"},
                                   {"sort": "id"}])  # fmt: skip
def test_export_refuses_invalid_queries(steady: TestClient, query: dict[str, str]) -> None:
    refused(steady.get(f"{PATH}/export", params=query), 422, at=next(iter(query)))


# --- spreadsheets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{sign}cmd|' /C calc'!A0" for sign in RISKY] + ["''=1", "a=1", "-"], ids=repr)
def test_export_escapes_spreadsheet_formulas_reversibly(name: str) -> None:
    column = Column("name", "text", "", lambda experiment, _: None)
    cell = Csv([column]).rows([[name]]).decode().removesuffix("\r\n")
    if cell.startswith('"'):
        cell = cell[1:-1].replace('""', '"')
    assert not cell.startswith(RISKY) or cell.startswith("'")
    assert (cell[1:] if cell.startswith("'") else cell) == name


# --- memory --------------------------------------------------------------------------------------------------------


def fill(database: Database, number: int) -> list[UUID]:
    """Insert ended experiments with three epochs each, directly into the tables."""
    id = states.finish(database)
    ids = [new_id() for _ in range(number)]
    epoch = make_epoch().model_dump() | {"attempt": 1}
    with database.write("fill") as session:
        row = {name: value for name, value in vars(session.get_one(Experiment, id)).items() if name[0] != "_"}
        session.execute(insert(Experiment), [row | {"id": id, "epochs_done": 3} for id in ids])
        epochs = [epoch | {"experiment_id": id, "epoch": number} for id in ids for number in (1, 2, 3)]
        session.execute(insert(Epoch), epochs)
    return ids


def memory_in_use(database: Database, format: FormatName, rows: Any) -> list[int]:
    """Return the bytes in use after each block of an export of everything, those of Arrow included."""
    reader, file, columns = Reader(Filter(), rows), FORMATS[format](SHEETS[rows]), SHEETS[rows]
    after = []
    gc.collect()
    gc.freeze()  # of what is there already nothing need be looked at again
    tracemalloc.start()
    file.begin()
    while True:
        with database.read() as session:
            block = reader.block(session)
        if block is None:
            break
        file.rows([[column.read(*record) for column in columns] for record in block])
        gc.collect()  # how much garbage lies about depends on what else the process holds
        after.append(tracemalloc.get_traced_memory()[0] + pyarrow.total_allocated_bytes())
    file.end()
    tracemalloc.stop()
    gc.unfreeze()
    return after


@in_each_format
@pytest.mark.parametrize("rows", ["experiments", "epochs"])
@states.on_sqlite
def test_export_uses_constant_memory(
    database: Database, monkeypatch: pytest.MonkeyPatch, format: FormatName, rows: str
) -> None:
    monkeypatch.setattr(exports, "MOST_EXPERIMENTS", 5)
    monkeypatch.setattr(exports, "MOST_PARTS", 12)
    monkeypatch.setattr(formats, "ROW_GROUP", 60)
    fill(database, 120)
    memory_in_use(database, format, rows)  # what is loaded, compiled or set aside once
    growth = []
    for _ in range(2):  # what the process sets aside meanwhile for other reasons, it does not do twice
        after = memory_in_use(database, format, rows)
        assert len(after) > 20
        growth.append(median(after[-6:]) / median(after[:6]))
    # Parquet's footer describes each group of rows.
    assert min(growth) < {"csv": 1.2, "jsonl": 1.2, "parquet": 4.0}[format], growth


@states.on_sqlite
def test_export_that_breaks_off_is_an_error_for_the_client(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_EXPERIMENTS", 2)
    for _ in range(3):
        states.finish(database)
    whole = Reader.block
    blocks: list[object] = []

    def block(self: Reader, session: Session) -> Any:
        blocks.append(self)
        if len(blocks) == 2:
            raise OSError("The disk is gone.")
        return whole(self, session)

    monkeypatch.setattr(Reader, "block", block)
    with listening(settings) as url, httpx2.Client(base_url=url) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="incomplete"):
            client.get(f"{PATH}/export")
        assert client.get(f"{PATH}/export").content.count(b"\r\n") == 4


# --- the document --------------------------------------------------------------------------------------------------


def test_columns_cover_every_field_of_a_spec() -> None:
    inner = {path.partition(".")[0] for path in FACTORS if "." in path}
    leaves = {path for path in FACTORS if path not in inner} | {"seed"}
    leaves = leaves - {"early_stopping"} | {f"early_stopping.{name}" for name in EarlyStopping.model_fields}
    assert {column.name for column in SPEC} - {"activation_spec"} == {path.replace(".", "_") for path in leaves}


def test_columns_are_documented() -> None:
    assert DOCUMENT.read_text().endswith(tables()), "print the tables: python -m service.domain.exports"
    for sheet in SHEETS.values():
        assert len({column.name for column in sheet}) == len(sheet)


def test_export_refuses_every_status_that_is_not_terminal() -> None:
    assert {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED} == {status for status in Status if status.terminal}
