"""The Spark configuration of a local cluster, and what a machine needs for it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from typing import Any, Optional

from azml_task.errors import LocalExecutorError

REQUIREMENTS = "pyspark==4.3.0 'numpy<3'"
_VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
# No checksum files: other programs rewrite the same files without them.
_LOCAL = "org.apache.hadoop.fs.RawLocalFileSystem"
_LOGGING = """\
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""


def configuration(settings: dict[str, Any], roots: dict[str, str], blobs: list[dict[str, str]]) -> dict[str, str]:
    """The Spark configuration that makes Databricks paths resolve on this machine.

    `fs.AbstractFileSystem.dbfs.impl` stays unset on purpose: with it, streaming
    checkpoints fail; without it, Spark uses the file system below.
    """
    warehouse = settings.get("warehouse") or os.path.join(roots["dbfs"], "user/hive/warehouse")
    conf = {
        "spark.master": settings.get("master") or "local[*]",
        "spark.app.name": "Databricks Shell",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": f"file://{warehouse}",
        "spark.hadoop.fs.defaultFS": "dbfs:///",
        "spark.hadoop.fs.file.impl": _LOCAL,
        "spark.hadoop.fs.dbfs.impl": _VIEW,
        "spark.hadoop.fs.viewfs.overload.scheme.target.dbfs.impl": _LOCAL,
        "spark.hadoop.fs.viewfs.mounttable.default.linkFallback": f"file://{roots['dbfs']}",
    }
    for folder, root in (("Volumes", "volumes"), ("Workspace", "workspace")):
        if root in roots:
            key = f"spark.hadoop.fs.viewfs.mounttable.default.link./{folder}"
            conf[key] = f"file://{roots[root]}"
    for key, value in blob_configuration(blobs).items():
        conf[f"spark.hadoop.{key}"] = value
    if settings.get("jars"):
        conf["spark.jars"] = ",".join(f"file://{it}" for it in settings["jars"])
    conf.update({key: str(value) for key, value in (settings.get("conf") or {}).items()})
    return conf


def blob_configuration(blobs: list[dict[str, str]]) -> dict[str, str]:
    """The Hadoop configuration that makes blob storage resolve."""
    conf: dict[str, str] = {}
    for scheme, kind in (("wasbs", "blob"), ("wasb", "blob"), ("abfss", "dfs"), ("abfs", "dfs")):
        conf[f"fs.{scheme}.impl"] = _VIEW
        conf[f"fs.viewfs.overload.scheme.target.{scheme}.impl"] = _LOCAL
        for blob in blobs:
            table = f"{blob['container']}@{blob['account']}.{kind}.{blob['suffix']}"
            conf[f"fs.viewfs.mounttable.{table}.linkFallback"] = f"file://{blob['path']}"
    return conf


def quieten(conf: dict[str, str], folder: str) -> None:
    """Makes the JVM log errors alone. Its settings go to a file in `folder`."""
    file = os.path.join(tempfile.mkdtemp(prefix="spark-", dir=folder), "log4j2.properties")
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(_LOGGING)
    options = conf.get("spark.driver.extraJavaOptions", "")
    conf["spark.driver.extraJavaOptions"] = f"{options} -Dlog4j2.configurationFile=file:{file}".strip()


def prepare_environment() -> None:
    """Sets what PySpark and the JVM read from the environment."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)


def require(settings: Optional[dict[str, Any]]) -> dict[str, Any]:
    """The settings, or an error that says what is missing for Spark."""
    if settings is None:
        raise LocalExecutorError("Spark is not available: this task was started without it")
    if importlib.util.find_spec("pyspark") is None:
        raise LocalExecutorError(
            f"Spark is not available: the Python of this cluster ({sys.executable}) has no pyspark; "
            f"install it ({sys.executable} -m pip install {REQUIREMENTS}) or start azml-mock "
            "with --python and a Python that has it"
        )
    java_home = os.environ.get("JAVA_HOME")
    if not settings.get("gateway_port") and not shutil.which("java") and not java_home:
        raise LocalExecutorError(
            "Spark is not available: no Java was found; install Java 17 or later, or set JAVA_HOME"
        )
    return settings
