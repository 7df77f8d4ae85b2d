"""Keeps one Spark JVM warm for a cluster: `python -u -B jvm.py SPEC.json`.

Prints `{"port": .., "secret": .., "pid": ..}` as one line of JSON when a Spark
context is up, and ends the JVM when its own standard input closes. The JVM
also ends when this process dies, because it watches a pipe to it; when the JVM
dies, this process ends as it did. A line
`cancel TASK_RUN_ID` on the input cancels the Spark jobs of a task.

The specification is that of a task; `roots`, `blobs` and `spark` are read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

def main(arguments: list[str]) -> int:
    """Starts the JVM and waits for the end of the input."""
    if len(arguments) != 1:
        print("usage: jvm.py SPEC.json", file=sys.stderr)
        return 2
    from runner import hide_folder, load_package

    load_package()
    hide_folder()
    from azml_task.errors import LocalExecutorError
    from azml_task.spark_conf import configuration, prepare_environment, quieten, require

    with open(arguments[0], encoding="utf-8") as file:
        spec = json.load(file)
    try:
        settings = require(dict(spec.get("spark") or {}, gateway_port=None))
    except LocalExecutorError as err:
        print(err, file=sys.stderr)
        return 3
    prepare_environment()
    conf = configuration(settings, spec["roots"], spec.get("blobs") or [])
    quieten(conf, os.getcwd())
    serve(conf)
    return 0


def serve(conf: dict[str, str]) -> None:
    """Runs the JVM with this configuration until the input ends."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    spark_conf = SparkConf()
    for key, value in conf.items():
        spark_conf.set(key, value)
    # The JVM writes to our error stream; our output carries one line of JSON.
    gateway = launch_gateway(spark_conf, popen_kwargs={"stdout": sys.stderr})
    context = SparkContext(conf=spark_conf, gateway=gateway)
    parameters = gateway.gateway_parameters
    ready = {"port": parameters.port, "secret": parameters.auth_token, "pid": gateway.proc.pid}
    print(json.dumps(ready), flush=True)
    # The first query loads most of Spark SQL: better now than in a task. In a
    # thread, because a task may come first and keep all cores for itself.
    warm_up = SparkSession(context).range(1).collect
    threading.Thread(target=warm_up, daemon=True).start()
    threading.Thread(target=_follow, args=(gateway.proc,), daemon=True).start()
    for line in sys.stdin:
        word, _, group = line.strip().partition(" ")
        if word == "cancel":
            # The process of the task is gone, but what it started in the JVM is not.
            context.cancelJobGroup(group)
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=3)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
    # At once: threads may still wait for an answer of the JVM.
    os._exit(0)


def _follow(jvm: "subprocess.Popen[bytes]") -> None:
    """Ends this process with the JVM, and as that ended."""
    status = jvm.wait()
    # A signal as a shell writes it.
    os._exit(128 - status if status < 0 else status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
