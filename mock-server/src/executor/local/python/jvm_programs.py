"""Programs that bring a JVM of their own: JARs, and what spark-submit starts."""

from __future__ import annotations

import os
from typing import Any

from azml_task import output, spark_conf
from azml_task.errors import JavaError, LocalExecutorError
from azml_task.task import Task

_JAVA_EXCEPTION = 'Exception in thread "main" '


def jar(task: Task, _: dict[str, Any]) -> None:
    """Runs the main class of a JAR, so that its output is the task's."""
    jars = task.spec.get("jars") or []
    if not jars or not task.spec.get("main_class"):
        raise LocalExecutorError("a JAR task needs main_class_name and a jar among its libraries")
    options = ["--class", task.spec["main_class"]]
    if jars[1:]:
        options += ["--jars", ",".join(jars[1:])]
    _submit(task, [*options, jars[0], *task.spec.get("parameters", [])], "the JAR")


def submit(task: Task, _: dict[str, Any]) -> None:
    """Runs `spark-submit` with the parameters of the task.

    Its own settings come after those of the cluster and win.
    """
    parameters = [str(it) for it in task.spec.get("parameters", [])]
    if not parameters:
        raise LocalExecutorError("a spark-submit task needs parameters: options, a JAR or a Python file, arguments")
    _submit(task, parameters, "spark-submit")


def _submit(task: Task, arguments: list[str], what: str) -> None:
    settings = spark_conf.require(dict(task.spec.get("spark") or {}, gateway_port=None))
    spark_conf.prepare_environment()
    import pyspark

    command = [os.path.join(os.path.dirname(pyspark.__file__), "bin", "spark-submit")]
    conf = spark_conf.configuration(settings, task.paths.roots, task.paths.blobs)
    spark_conf.quieten(conf, os.getcwd())
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    status, tail = output.run_command([*command, *arguments])
    if status != 0:
        raise _error(status, tail, what)


def _error(status: int, tail: list[str], what: str) -> Exception:
    """The exception that ended a JVM, as far as its last lines show it."""
    start = next((it for it, line in enumerate(tail) if line.startswith(_JAVA_EXCEPTION)), None)
    if start is None:
        return LocalExecutorError(f"{what} ended with exit status {status}: {tail[-1] if tail else 'no output'}")
    return JavaError(tail[start].removeprefix(_JAVA_EXCEPTION), "\n".join(tail[start:]) + "\n")
