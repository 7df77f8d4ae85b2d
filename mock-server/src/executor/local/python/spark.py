"""Spark for a task: made, or attached to the cluster's warm JVM, at the first touch.

Nothing of PySpark is imported before that, so that a task without Spark pays
nothing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import logging
import os
import sys
from typing import Any, Callable, Optional

from azml_task.errors import LocalExecutorError
from azml_task.spark_conf import (
    blob_configuration,
    configuration,
    prepare_environment,
    quieten,
    require,
)
from azml_task.task import Task

_session: Any = None
_building = False


def session(task: Task) -> Any:
    """The Spark session of this task."""
    global _session, _building
    if _session is None:
        settings = require(task.spec.get("spark"))
        prepare_environment()
        _building = True
        try:
            attach = settings.get("gateway_port")
            _session = _attach(task, settings) if attach else _start(task, settings)
            _quiet()
        finally:
            _building = False
    return _session


def stop() -> None:
    """Stops a JVM that belongs to this task alone."""
    if _session is not None and "stop" not in vars(_session):
        _session.stop()


def shared_settings(settings: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """The settings for a child task: it uses the JVM of this one, if there is one."""
    if settings is None or _session is None or settings.get("gateway_port"):
        return settings
    gateway = _session.sparkContext._gateway.gateway_parameters
    return dict(settings, gateway_port=gateway.port, gateway_secret=gateway.auth_token)


def _start(task: Task, settings: dict[str, Any]) -> Any:
    """Starts a JVM for this task alone."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    values = configuration(settings, task.paths.roots, task.paths.blobs)
    quieten(values, os.getcwd())
    conf = SparkConf().setAll(list(values.items()))
    return SparkSession.builder.config(conf=conf).getOrCreate()


def _attach(task: Task, settings: dict[str, Any]) -> Any:
    """Opens a session of our own on the cluster's context, as Databricks does."""
    os.environ["PYSPARK_GATEWAY_PORT"] = str(settings["gateway_port"])
    os.environ["PYSPARK_GATEWAY_SECRET"] = settings["gateway_secret"]
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    try:
        gateway = launch_gateway()
        jvm = gateway.jvm
        scala_context = jvm.org.apache.spark.SparkContext.getOrCreate()
    except Exception as err:
        raise LocalExecutorError(f"the Spark JVM of this cluster does not answer: {err}") from None
    finally:
        # Code that starts a Spark of its own must not meet ours.
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]
    java_context = jvm.org.apache.spark.api.java.JavaSparkContext.fromSparkContext(scala_context)
    hadoop = scala_context.hadoopConfiguration()
    for key, value in blob_configuration(task.paths.blobs).items():
        # Containers may be younger than the JVM.
        hadoop.set(key, value)
    conf = SparkConf(_jconf=scala_context.getConf())
    context = SparkContext(gateway=gateway, jsc=java_context, conf=conf)
    # So that the JVM's owner can cancel what this process leaves behind.
    context.setJobGroup(str(task.context.get("task_run_id")), str(task.context.get("task_key")), True)
    if task.spec.get("python_path"):
        context.environment["PYTHONPATH"] = os.pathsep.join(task.spec["python_path"])
    classic = getattr(jvm.org.apache.spark.sql, "classic", jvm.org.apache.spark.sql)
    java_session = classic.SparkSession.builder().sparkContext(scala_context).getOrCreate()
    session = SparkSession(context, java_session.newSession())
    known = scala_context.getConf().get("spark.jars", "").split(",")
    for jar in settings.get("jars") or []:
        if f"file://{jar}" not in known:
            # Younger than the JVM: there for the functions of this session.
            session.sql(f"ADD JAR 'file://{jar}'")
    # The context belongs to the cluster: a task cannot stop it.
    context.stop = session.stop = _keep_running
    return session


def _quiet() -> None:
    """Stops PySpark from printing each failed query as JSON beside the exception itself."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:
        return  # Before Spark 4.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)


def _keep_running() -> None:
    print("spark.stop() has no effect: the Spark context belongs to the cluster", file=sys.stderr)


class Lazy:
    """Stands for `spark`, `sc` or `sqlContext` until code touches it."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        object.__setattr__(self, "_lazy", (name, make))

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_lazy")[1](), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_lazy")[1](), name, value)

    def __repr__(self) -> str:
        return repr(object.__getattribute__(self, "_lazy")[1]())

    @property
    def __class__(self) -> type:  # type: ignore[override]
        # So that `isinstance(spark, SparkSession)` holds, without starting Spark.
        pyspark = sys.modules.get("pyspark")
        known = {"spark": "SparkSession", "sc": "SparkContext", "sqlContext": "SQLContext"}
        name = known[object.__getattribute__(self, "_lazy")[0]]
        for module in (sys.modules.get("pyspark.sql"), pyspark):
            found = getattr(module, name, None)
            if found is not None:
                return found
        return Lazy


def names(task: Task) -> dict[str, Any]:
    """The Spark names of a notebook."""

    def sql_context() -> Any:
        from pyspark.sql import SQLContext

        return SQLContext(session(task).sparkContext, session(task))

    return {
        "spark": Lazy("spark", lambda: session(task)),
        "sc": Lazy("sc", lambda: session(task).sparkContext),
        "sqlContext": Lazy("sqlContext", sql_context),
    }


def install(task: Task) -> None:
    """Makes `SparkSession.builder.getOrCreate()` of user code give the task's session."""
    if task.spec.get("spark") is not None:
        sys.meta_path.insert(0, _AfterImport(task))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Changes two classes of PySpark when, and if, they are imported."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in ("pyspark.sql.session", "pyspark.core.context", "pyspark.context"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            self._change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _change(self, module: Any) -> None:
        if module.__name__ == "pyspark.sql.session":
            build = module.SparkSession.Builder.getOrCreate

            def get_or_create(builder: Any) -> Any:
                self._ensure()
                return build(builder)

            module.SparkSession.Builder.getOrCreate = get_or_create
        elif module.SparkContext.__module__ == module.__name__:
            get = module.SparkContext.getOrCreate.__func__

            def get_or_create_context(cls: Any, conf: Any = None) -> Any:
                self._ensure()
                return get(cls, conf)

            module.SparkContext.getOrCreate = classmethod(get_or_create_context)

    def _ensure(self) -> None:
        if _session is None and not _building:
            session(self._task)
