"""Tests with Spark: run these with a Python that has pyspark and numpy.

    cd mock-server/src/executor/local/python && VENV/bin/python -m unittest test_spark
"""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Any, Optional

from test_runner import HERE, RunnerTest
from test_wine import FIXTURES, PREPARED


class SparkTest(RunnerTest):
    """Tasks on the settings of `settings`."""

    def settings(self) -> dict[str, Any]:
        """How a task reaches Spark."""
        return {"master": "local[2]", "conf": {}}

    def start_task(self, env: Optional[dict[str, str]] = None, **spec: Any) -> subprocess.Popen[str]:
        """Starts a task with Spark."""
        spec.setdefault("spark", self.settings())
        return super().start_task({"HOME": self.base, **(env or {})}, **spec)


class WithoutPySpark(RunnerTest):
    """What a Python without PySpark says."""

    def test_the_error_names_the_python_and_the_remedy(self) -> None:
        if importlib.util.find_spec("pyspark") is not None:
            return  # This Python is not the one to ask.
        done = self.notebook("spark.range(1)\n", spark={"master": "local[2]"})
        self.assertEqual(done["error"], (
            f"LocalExecutorError: Spark is not available: the Python of this cluster ({sys.executable}) has no "
            f"pyspark; install it ({sys.executable} -m pip install pyspark==4.3.0 'numpy<3') or start azml-mock "
            "with --python and a Python that has it"
        ))


@unittest.skipUnless(importlib.util.find_spec("pyspark"), "this Python has no pyspark")
class Cold(SparkTest):
    """Tasks that start a JVM of their own."""

    def test_a_child_notebook_shares_the_jvm_of_its_parent(self) -> None:
        self.add_notebook("child", "dbutils.notebook.exit(sc.applicationId)")
        done = self.notebook("""\
            id = sc.applicationId
            print(spark.range(3).count(), dbutils.notebook.run("child", 60) == id)
            """)
        self.assertEqual(done["log"].splitlines()[-1], "3 True", done["log"])

    def test_a_jar_runs_its_main_class(self) -> None:
        import pyspark

        jar = glob.glob(os.path.join(os.path.dirname(pyspark.__file__), "jars/hadoop-client-api-*.jar"))[0]
        done = self.run_task(kind="spark_jar", main_class="org.apache.hadoop.util.VersionInfo", jars=[jar])
        self.assertEqual(done["status"], "SUCCESS", done["log"])
        self.assertRegex(done["log"], r"(?m)^Hadoop \d")
        done = self.run_task(kind="spark_jar", main_class="no.such.Main", jars=[jar])
        self.assertRegex(done["error"], r"^LocalExecutorError: the JAR ended with exit status \d+: .*no.such.Main")


@unittest.skipUnless(importlib.util.find_spec("pyspark"), "this Python has no pyspark")
class Warm(SparkTest):
    """Tasks that attach to the JVM of a running cluster."""

    folder_of_cluster: tempfile.TemporaryDirectory[str]
    jvm: subprocess.Popen[str]
    ready: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder_of_cluster = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder_of_cluster.cleanup)
        base = cls.folder_of_cluster.name
        roots = {name: os.path.join(base, name) for name in ("dbfs", "workspace", "volumes")}
        for root in roots.values():
            os.makedirs(root)
        spec = os.path.join(base, "spec.json")
        with open(spec, "w", encoding="utf-8") as file:
            json.dump({"roots": roots, "blobs": [], "spark": {"master": "local[2]"}}, file)
        cls.jvm = subprocess.Popen(
            [sys.executable, "-u", "-B", os.path.join(HERE, "jvm.py"), spec], cwd=base, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": base},
        )
        cls.addClassCleanup(cls.end)
        assert cls.jvm.stdout is not None
        cls.ready = json.loads(cls.jvm.stdout.readline())

    @classmethod
    def end(cls) -> None:
        """Ends the JVM by closing the input, as the executor does."""
        cls.jvm.communicate(timeout=30)

    def setUp(self) -> None:
        super().setUp()
        base = self.folder_of_cluster.name
        self.roots = {name: os.path.join(base, name) for name in ("dbfs", "workspace", "volumes")}
        # A JVM keeps the folder that it has once met behind a container.
        self.blob = os.path.join(base, "blob")

    def settings(self) -> dict[str, Any]:
        return {"gateway_port": self.ready["port"], "gateway_secret": self.ready["secret"]}

    def test_paths_of_databricks_and_blob_storage_resolve_without_leaving_checksum_files(self) -> None:
        done = self.notebook("""\
            box = "wasbs://c1@store1.blob.core.windows.net/in put"
            spark.range(10).coalesce(1).write.mode("overwrite").csv(box, header=True)
            dbutils.fs.cp([it.path for it in dbutils.fs.ls(box) if it.name.startswith("part")][0], "/Volumes/v/n.csv")
            open("/Volumes/v/n.csv", "a").write("99\\n")
            spark.range(5).write.mode("overwrite").parquet("dbfs:/tmp/p")
            tables = [spark.read.csv(it, header=True) for it in (box, "/Volumes/v/n.csv", "dbfs:/Volumes/v/n.csv")]
            print(*[it.count() for it in tables])
            print(spark.read.parquet("/tmp/p").count(), isinstance(spark, __import__("pyspark.sql").sql.SparkSession))
            """)
        self.assertEqual(done["log"].splitlines()[-2:], ["10 11 11", "5 True"], done["log"])
        for root in (self.blob, self.roots["dbfs"]):
            self.assertEqual(glob.glob(f"{root}/**/.*.crc", recursive=True), [])

    def test_each_task_has_its_own_views_and_cannot_stop_the_context(self) -> None:
        first = self.notebook("""\
            spark.range(1).createOrReplaceTempView('mine')
            spark.stop()
            dbutils.notebook.exit(sc.applicationId)
            """)
        second = self.script("""\
            from pyspark.sql import SparkSession
            spark = SparkSession.builder.master("local[7]").getOrCreate()
            print(spark.sparkContext.applicationId, spark.sql("show tables").count())
            """)
        self.assertEqual(second["log"], f"{first['exit_value']} 0\n")

    def test_what_a_killed_task_leaves_in_the_jvm_can_be_canceled(self) -> None:
        long = "print('begun', flush=True)\nspark.range(0, 10 ** 14, 1, 1).selectExpr('sum(id % 7)').collect()\n"
        file = self.write("code/long.py", long)
        child = self.start_task(kind="python_file", source=file, context={"task_run_id": 77})
        assert child.stdout is not None and self.jvm.stdin is not None
        self.assertEqual(child.stdout.readline(), "begun\n")
        active = """\
            import time
            for _ in range(600):
                if bool(sc._jsc.statusTracker().getActiveJobIds()) == {wanted}:
                    break
                time.sleep(0.05)
            else:
                raise TimeoutError("jobs are active: not {wanted}")
            """
        self.assertEqual(self.script(active.format(wanted=True))["log"], "")
        child.kill()
        child.communicate()
        self.jvm.stdin.write("cancel 77\n")
        self.jvm.stdin.flush()
        self.assertEqual(self.script(active.format(wanted=False))["log"], "")

    def test_sql_runs_in_cells_and_files(self) -> None:
        done = self.notebook("""\
            # MAGIC %sql
            # MAGIC create or replace temp view v as select 'a;b' as t; -- a comment; more
            # MAGIC select t, :n + 1 as m from v

            # COMMAND ----------

            print(_sqldf.collect())
            """, widgets={"n": "3"})
        self.assertEqual(done["log"].splitlines()[-1], "[Row(t='a;b', m=4)]", done["log"])
        file = self.write("q.sql", "select {{n}} + 1 as m")
        done = self.run_task(kind="sql_file", source=file, widgets={"n": "3"})
        self.assertEqual(done["log"].split(), ["+---+", "|", "m|", "+---+", "|", "4|", "+---+"])

    def test_a_failed_query_is_reported_once_by_its_bare_name(self) -> None:
        done = self.notebook("spark.table('nowhere')\n")
        self.assertRegex(done["error"], r"^AnalysisException: \[TABLE_OR_VIEW_NOT_FOUND\]")
        self.assertEqual(done["log"].count("Traceback"), 1, done["log"])
        self.assertNotIn('"level": "ERROR"', done["log"])

    def test_the_wine_notebook_trains_with_mllib(self) -> None:
        with open(os.path.join(FIXTURES, "data/winequality-red.csv"), encoding="utf-8") as file:
            data = file.read()
        with open(os.path.join(self.roots["dbfs"], "wine.csv"), "w", encoding="utf-8") as file:
            file.write(data)
        source = os.path.join(FIXTURES, "scripts/prepare/prepare.py")
        parameters = ["--data", "dbfs:/wine.csv", "--prepared", PREPARED]
        self.run_task(kind="python_file", source=source, parameters=parameters, spark=None)
        source = os.path.join(FIXTURES, "notebooks/train_wine.py")
        done = self.run_task(kind="notebook", source=source, widgets={"prepared": PREPARED, "engine": "spark"})
        self.assertEqual(done["status"], "SUCCESS", done["log"])
        result = json.loads(done["exit_value"])
        self.assertEqual(result["engine"], "spark")
        self.assertLess(result["rmse"], 0.65)


if __name__ == "__main__":
    unittest.main()
