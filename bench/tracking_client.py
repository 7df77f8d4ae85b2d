"""What other tracking clients cost the code that logs, and what they lose.

cost KIND URL POINTS    logs to the MLflow server at URL, and prints what a call took (KIND: sync, async, batch)
down URL                logs once to a server that is not there, and prints how long that took
forever PEER PLACE      logs until it is killed, and prints how many calls came back
stored PEER PLACE       prints how many points arrived

PEER is mlflow (PLACE: URL), trackio or wandb (PLACE: a folder).
"""

import json
import os
import sys
import time

EXPERIMENT = "tracking-client"
requests_sent = 0


def count_requests():
    """Counts what goes through `requests`, which the MLflow client uses."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def counted(*args, **kwargs):
        global requests_sent
        requests_sent += 1
        return send(*args, **kwargs)

    HTTPAdapter.send = counted


def mlflow_run(url):
    import logging

    import mlflow

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment(EXPERIMENT)
    return mlflow, mlflow.start_run()


def cost(kind, url, points):
    global requests_sent
    count_requests()
    mlflow, run = mlflow_run(url)
    requests_sent = 0
    calls = []
    begun = time.perf_counter()
    if kind == "batch":
        from mlflow.entities import Metric

        client = mlflow.MlflowClient()
        for start in range(0, points, 1000):
            now = int(time.time() * 1000)
            batch = [Metric("loss", 1.0 / (step + 1), now, step) for step in range(start, min(points, start + 1000))]
            watch = time.perf_counter_ns()
            client.log_batch(run.info.run_id, metrics=batch)
            calls.append(time.perf_counter_ns() - watch)
    else:
        for step in range(points):
            watch = time.perf_counter_ns()
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step, synchronous=kind == "sync")
            calls.append(time.perf_counter_ns() - watch)
    logged = time.perf_counter() - begun
    mlflow.flush_async_logging()
    drained = time.perf_counter() - begun
    sent = requests_sent
    mlflow.end_run()
    calls.sort()
    at = lambda share: calls[min(len(calls) - 1, int(len(calls) * share))]
    print(json.dumps({
        "p50_ns": at(0.5), "p99_ns": at(0.99), "p999_ns": at(0.999), "max_ns": calls[-1],
        "logged_s": logged, "drained_s": drained, "points_per_second": points / drained, "requests": sent,
    }))


def down(url):
    import logging

    import mlflow

    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    client = mlflow.MlflowClient(url)
    watch = time.perf_counter()
    try:
        client.log_metric("0" * 32, "loss", 1.0)
    except Exception:
        pass
    print(json.dumps({"stalled_s": time.perf_counter() - watch}))


def say(count):
    if count % 20 == 0:
        sys.stdout.write(f"{count}\n")
        sys.stdout.flush()


def forever(peer, place):
    if peer == "mlflow":
        mlflow, _ = mlflow_run(place)
        log = lambda step: mlflow.log_metric("loss", 0.5, step=step, synchronous=False)
    elif peer == "trackio":
        os.environ["TRACKIO_DIR"] = place
        import contextlib

        import trackio

        with contextlib.redirect_stdout(sys.stderr):
            trackio.init(project=EXPERIMENT, name="killed")
        log = lambda step: trackio.log({"loss": 0.5}, step=step)
    else:
        os.environ.update(WANDB_MODE="offline", WANDB_DIR=place, WANDB_SILENT="true")
        import wandb

        run = wandb.init(project=EXPERIMENT)
        log = lambda step: run.log({"loss": 0.5}, step=step)
    count = 0
    while True:
        log(count)
        count += 1
        say(count)


def leveldb_records(data):
    """The whole records of a transaction log of wandb: LevelDB's format behind a head of 7 bytes."""
    at, parts = 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        part = data[at + 7 : at + 7 + length]
        if kind == 0 or len(part) < length:
            return  # a torn tail
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts
        at += 7 + length


def stored(peer, place):
    if peer == "mlflow":
        import mlflow

        client = mlflow.MlflowClient(place)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        run = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"], max_results=1)[0]
        count = len(client.get_metric_history(run.info.run_id, "loss"))
    elif peer == "trackio":
        os.environ["TRACKIO_DIR"] = place
        from trackio.sqlite_storage import SQLiteStorage

        count = len(SQLiteStorage.get_logs(EXPERIMENT, "killed"))
    else:
        import glob

        from wandb.proto import wandb_internal_pb2

        count = 0
        for path in glob.glob(os.path.join(place, "wandb", "offline-run-*", "*.wandb")):
            for data in leveldb_records(open(path, "rb").read()):
                record = wandb_internal_pb2.Record()
                record.ParseFromString(data)
                kind = record.WhichOneof("record_type")
                is_point = kind == "history" or (kind == "request" and record.request.HasField("partial_history"))
                count += is_point
    print(json.dumps({"stored": count}))


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[0] == "cost":
        cost(words[1], words[2], int(words[3]))
    elif words[0] == "down":
        down(words[1])
    elif words[0] == "forever":
        forever(words[1], words[2])
    else:
        stored(words[1], words[2])
