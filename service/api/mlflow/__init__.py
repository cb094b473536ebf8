"""The routes that MLflow's own client reads: studies are its experiments, and experiments its runs.

docs/mlflow.md describes them. Nothing else in the project knows this package but service.api.app, which adds it.
Unknown parameters and fields are ignored, because clients of other versions send more.
"""
