"""Runs a task of any kind and reports how it ended."""

from __future__ import annotations

import os
import sys
import types
from typing import Any, Callable, Optional

from azml_task import jvm_programs, output, spark, sql
from azml_task.dbutils import DBUtils
from azml_task.errors import LocalExecutorError, NotebookExit
from azml_task.notebook import Notebook
from azml_task.task import Task


def run(task: Task) -> None:
    """Runs the task and writes its result."""
    kinds: dict[str, Callable[[Task, dict[str, Any]], Optional[str]]] = {
        "notebook": _notebook, "python_file": _python_file, "python_wheel": _python_wheel,
        "spark_jar": jvm_programs.jar, "spark_submit": jvm_programs.submit, "sql_file": _sql_file,
    }
    runs = kinds[task.spec["kind"]]
    names = prepare(task)
    try:
        value = runs(task, names)
    except NotebookExit as end:
        task.succeed(end.value)
    except SystemExit as end:
        if end.code in (None, 0):
            task.succeed()
        else:
            task.fail(end)
    except BaseException as err:  # noqa: BLE001 (whatever the code raises is its result)
        task.fail(err)
    else:
        task.succeed(value)
    finally:
        sys.stdout.flush()
        spark.stop()


def prepare(task: Task) -> dict[str, Any]:
    """Sets up the process; returns the names that Databricks defines for its code."""
    output.install(task.redactor)
    _environment(task)
    sys.path[:0] = task.spec.get("python_path") or []
    task.paths.install()
    spark.install(task)
    dbutils = DBUtils.of(task)
    names = {
        "dbutils": dbutils, "display": output.display, "displayHTML": output.display_html,
        "getArgument": dbutils.widgets.getArgument, **spark.names(task),
    }
    # Both names exist without their packages, on Databricks and here.
    runtime = types.ModuleType("databricks.sdk.runtime", "Names of the Databricks runtime.")
    vars(runtime).update(names, __all__=sorted(names))
    shim = types.ModuleType("pyspark.dbutils", "The class of dbutils.")
    vars(shim).update(DBUtils=DBUtils)
    sys.modules.update({"databricks.sdk.runtime": runtime, "pyspark.dbutils": shim})
    return names


def _environment(task: Task) -> None:
    host, context = task.host, task.context
    values = {
        "DATABRICKS_HOST": host.get("url"), "DATABRICKS_TOKEN": host.get("token"),
        "SSL_CERT_FILE": host.get("ca_file"), "REQUESTS_CA_BUNDLE": host.get("ca_file"),
        "DB_CLUSTER_ID": context.get("cluster_id"),
    }
    os.environ.update({name: str(value) for name, value in values.items() if value})
    if host.get("url"):
        # As the runtime has it: runs go to the workspace, and a notebook is an experiment.
        os.environ.setdefault("MLFLOW_TRACKING_URI", "databricks")
        given = {"MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"} & os.environ.keys()
        if task.spec.get("kind") == "notebook" and not given:
            os.environ["MLFLOW_EXPERIMENT_NAME"] = task.notebook_path
    if task.spec.get("python_path"):
        os.environ["PYTHONPATH"] = os.pathsep.join(task.spec["python_path"])


def main_module(names: dict[str, Any], file: str) -> types.ModuleType:
    """The module in which the code of the task runs."""
    module = types.ModuleType("__main__")
    vars(module).update(names, __file__=file, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    return module


def _notebook(task: Task, names: dict[str, Any]) -> None:
    module = main_module(names, task.notebook_path)
    folder = os.path.dirname(task.spec["source"])
    # Beside the notebook lie the modules it imports.
    sys.path.insert(0, folder)
    sys.argv = [""]
    notebook = Notebook(task, vars(module), names["dbutils"])
    notebook.run_file(
        task.spec["source"], task.notebook_path, task.spec.get("language"), task.spec.get("format")
    )


def _python_file(task: Task, names: dict[str, Any]) -> None:
    source = task.spec["source"]
    sys.argv = [source, *task.spec.get("parameters", [])]
    sys.path.insert(0, os.path.dirname(source))
    with task.paths.real_open(source, "rb") as stream:
        code = compile(stream.read(), source, "exec", dont_inherit=True)
    exec(code, vars(main_module(names, source)))


def _python_wheel(task: Task, names: dict[str, Any]) -> None:
    from importlib import import_module, metadata

    wheel = task.spec["wheel"]
    package, entry_point = wheel["package"], wheel["entry_point"]
    named = wheel.get("named_parameters") or {}
    arguments = [f"--{key}={value}" for key, value in named.items()]
    sys.argv = [package, *task.spec.get("parameters", []), *arguments]
    try:
        points = list(metadata.distribution(package).entry_points)
    except metadata.PackageNotFoundError:
        points = []
    point = next((it for it in points if it.name == entry_point), None)
    if point is not None:
        function = point.load()
    else:
        try:
            function = getattr(import_module(package.replace("-", "_")), entry_point)
        except (ImportError, AttributeError) as err:
            raise LocalExecutorError(
                f"entry point '{entry_point}' of package '{package}' was not found: {err}; "
                "is the wheel among the libraries of the task?"
            ) from None
    result = function()
    if isinstance(result, int) and result != 0:
        raise SystemExit(result)


def _sql_file(task: Task, names: dict[str, Any]) -> str:
    """Runs the statements of a file. Its value is their text."""
    with task.paths.real_open(task.spec["source"], encoding="utf-8") as stream:
        text = stream.read()
    parameters = {key: str(value) for key, value in (task.spec.get("widgets") or {}).items()}
    result = sql.run(names["spark"], text, parameters)
    output.display(result)
    return text
