"""Reads a service with MLflow's own client, and prints what it read as JSON.

It runs in an environment that has mlflow-skinny and pandas, and nothing of ActLab.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException


def main(study_name: str) -> dict[str, Any]:
    client = MlflowClient()
    group = client.get_experiment_by_name(study_name)
    runs = client.search_runs(
        [group.experiment_id],
        "metrics.test_accuracy > 0.5 and params.activation = 'relu' and attributes.status = 'FINISHED'",
        order_by=["metrics.test_accuracy DESC"],
    )
    run = client.get_run(runs[0].info.run_id)
    frame = mlflow.search_runs(
        experiment_names=[study_name], order_by=["params.seed ASC", "metrics.test_accuracy DESC"]
    )
    return {
        "experiments": [found.name for found in client.search_experiments()],
        "filtered": [found.name for found in client.search_experiments(filter_string=f"name = '{study_name}'")],
        "by id": client.get_experiment(group.experiment_id).name,
        "unknown": client.get_experiment_by_name("nothing"),
        "runs": [[found.data.params["seed"], found.data.metrics["test_accuracy"]] for found in runs],
        "pages": _pages(client, group.experiment_id),
        "run": [run.info.status, run.data.tags["mlflow.source.name"], sorted(run.data.metrics)],
        "inputs": [item.dataset.name for item in run.inputs.dataset_inputs],
        "history": [[value.step, value.value] for value in client.get_metric_history(run.info.run_id, "train_loss")],
        "no history": client.get_metric_history(run.info.run_id, "nothing"),
        "frame": [[row["params.activation"], row["metrics.test_accuracy"]] for _, row in frame.iterrows()],
        "fluent": len(mlflow.search_runs()),
        "archived": len(client.search_runs([group.experiment_id], run_view_type=ViewType.DELETED_ONLY)),
        "artifacts": [[file.path, file.is_dir] for file in client.list_artifacts(run.info.run_id)],
        "downloaded": _downloaded(run.info.run_id),
        "refused": _refusals(client, run.info.run_id, group.experiment_id),
    }


def _pages(client: MlflowClient, experiment: str) -> list[int]:
    sizes: list[int] = []
    token: str | None = None
    while token is not None or not sizes:
        page = client.search_runs([experiment], max_results=3, order_by=["metrics.test_accuracy"], page_token=token)
        sizes.append(len(page))
        token = page.token
    return sizes


def _downloaded(run: str) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(mlflow.artifacts.download_artifacts(run_id=run, dst_path=folder))
        return {file.name: file.stat().st_size for file in sorted(path.rglob("*")) if file.is_file()}


def _refusals(client: MlflowClient, run: str, experiment: str) -> list[str]:
    tries = [
        lambda: client.create_run(experiment),
        lambda: client.log_metric(run, "a", 1.0),
        lambda: client.set_tag(run, "a", "b"),
        lambda: client.create_experiment("new"),
        lambda: client.delete_run(run),
        lambda: client.search_runs([experiment], "metrics.test_accuracy >> 1"),
        lambda: client.get_run("0" * 32),
    ]
    return [_code(attempt) for attempt in tries]


def _code(attempt: Any) -> str:
    try:
        attempt()
    except MlflowException as error:
        return str(error.error_code)
    return "done"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
