"""Fills the database of an MLflow server that does not run yet: mlflow_rows.py DATABASE ROOT RUNS

Through the REST API ten thousand runs take minutes. This makes the schema with
MLflow's own store and then inserts the rows of its own models, as its store
would. The values are those that the benchmark sends to the other servers.
"""

import sys

from mlflow.store.tracking.dbmodels.models import (
    SqlLatestMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

database, root, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqlAlchemyStore(f"sqlite:///{database}", root)
experiment = int(store.create_experiment("bench"))
runs, metrics, params, tags = [], [], [], []
for index in range(count):
    run = f"{index:032x}"
    runs.append({
        "run_uuid": run, "name": f"run-{index}", "source_type": "UNKNOWN", "user_id": "",
        "status": "RUNNING", "start_time": 1_700_000_000_000 + index, "lifecycle_stage": "active",
        "artifact_uri": f"{root}/{experiment}/{run}/artifacts", "experiment_id": experiment,
    })
    for key, factor in (("loss", 7919), ("acc", 104729), ("val_loss", 31), ("val_acc", 37)):
        metrics.append({
            "key": key, "value": index * factor % 10_000 / 10_000, "timestamp": 1, "step": 0,
            "is_nan": False, "run_uuid": run,
        })
    params.append({"key": "lr", "value": str(index % 10), "run_uuid": run})
    for key, value in (("model", "m"), ("split", str(index % 3)), ("mlflow.runName", f"run-{index}")):
        tags.append({"key": key, "value": value, "run_uuid": run})
with store.ManagedSessionMaker(read_only=False) as session:
    session.bulk_insert_mappings(SqlRun, runs)
    session.bulk_insert_mappings(SqlMetric, metrics)
    session.bulk_insert_mappings(SqlLatestMetric, metrics)
    session.bulk_insert_mappings(SqlParam, params)
    session.bulk_insert_mappings(SqlTag, tags)
print(experiment)
