"""Every kind of task, executed for real: notebooks, files, wheels, JARs, spark-submit, SQL files, loops, conditions, jobs."""
from spark_common import *
import zipfile

w = client()
me = w.current_user.me().user_name
base = f"/Users/{me}/tasks-{uid()}"
cluster = start_cluster(w, "tasks")
w.dbfs.mkdirs(base)

# Notebooks in both formats, with what Databricks adds to Python.
w.secrets.create_scope("vault")
w.secrets.put_secret("vault", "key", string_value="s3cret-word")
import_notebook(w, base + "/lib", "answer = 40 + int(dbutils.widgets.get('more'))\ndef twice(x):\n    return 2 * x")
import_notebook(w, base + "/child", "dbutils.notebook.exit(dbutils.widgets.get('word')[::-1])")
import_notebook(w, base + "/all", f"""
# MAGIC %md
# MAGIC # A title
# COMMAND ----------
dbutils.widgets.text('more', '1'); dbutils.widgets.dropdown('kind', 'a', ['a', 'b'])
# COMMAND ----------
# MAGIC %run ./lib $more="2"
# COMMAND ----------
# MAGIC %sql
# MAGIC create or replace temp view numbers as select id, id % 3 as rest from range(30)
# COMMAND ----------
# MAGIC %sh echo from the shell > /dbfs{base}/shell.txt
# COMMAND ----------
display(spark.sql('select rest, count(*) as n from numbers group by rest order by rest'))
print('the secret is', dbutils.secrets.get('vault', 'key'))
print(sorted(it.name for it in dbutils.fs.ls('dbfs:{base}')), open('/dbfs{base}/shell.txt').read().strip())
dbutils.jobs.taskValues.set('rows', spark.table('numbers').count())
# COMMAND ----------
spark.table('numbers').write.mode('overwrite').saveAsTable('numbers_kept')
child = dbutils.notebook.run('./child', 60, {{'word': 'stressed'}})
dbutils.notebook.exit(f'{{twice(answer)}} {{child}} {{spark.table("numbers_kept").count()}}')
""".lstrip())
first = check("a notebook with all its magics", lambda: succeeded(notebook(w, base + "/all", cluster)))
check("its value", lambda: eq(first.notebook_output.result, "84 desserts 30"))


def log_of(out):
    """The log of a notebook is what the mock keeps beside its value."""
    return out.logs or ""


jupyter = {"cells": [
    {"cell_type": "markdown", "source": ["# A title"]},
    {"cell_type": "code", "source": ["%sql\n", "create or replace temp view v as select 7 as n"]},
    {"cell_type": "code", "source": "n = spark.table('v').first().n\ndbutils.notebook.exit(n * 6)"},
], "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
import_notebook(w, base + "/jupyter", json.dumps(jupyter), None, workspace.ImportFormat.JUPYTER)
check("a notebook of Jupyter", lambda: eq(succeeded(notebook(w, base + "/jupyter", cluster)).notebook_output.result, "42"))
import_notebook(w, base + "/sql", "select 1 as one", workspace.Language.SQL)
check("a notebook of SQL", lambda: succeeded(notebook(w, base + "/sql", cluster)))
import_notebook(w, base + "/bad", "def fail():\n    raise KeyError(dbutils.secrets.get('vault', 'key'))\nfail()")


def fails_with_its_trace():
    out = notebook(w, base + "/bad", cluster)
    assert out.metadata.state.result_state == jobs.RunResultState.FAILED
    assert "raise KeyError" in out.error_trace and "<command-" in out.error_trace, out.error_trace
    return eq(out.error, "KeyError: '[REDACTED]'")


check("a notebook that raises shows its code, and no secret", fails_with_its_trace)

# Files and folders under all their names.
import_notebook(w, base + "/paths", f"""
import os
spark.range(5).coalesce(1).write.mode('overwrite').csv('dbfs:{base}/five')
file = [it for it in os.listdir('/dbfs{base}/five') if it.startswith('part')][0]
os.makedirs('/Volumes/main/default/box', exist_ok=True)
dbutils.fs.cp('dbfs:{base}/five/' + file, '/Volumes/main/default/box/five.csv')
counts = [spark.read.csv(it).count() for it in ('{base}/five', 'dbfs:{base}/five', '/Volumes/main/default/box/five.csv',
          'dbfs:/Volumes/main/default/box/five.csv')]
dbutils.notebook.exit(str(counts) + str(os.path.exists('/Workspace{base}')))
""".lstrip())
w.volumes.create(catalog_name="main", schema_name="default", name="box", volume_type=__import__("databricks.sdk.service.catalog", fromlist=["x"]).VolumeType.MANAGED)
check("DBFS, volumes and the workspace are there for Spark and for Python",
      lambda: eq(succeeded(notebook(w, base + "/paths", cluster)).notebook_output.result, "[5, 5, 5, 5]True"))
check("what Spark wrote to a volume is in the Files API", lambda: eq(w.files.download("/Volumes/main/default/box/five.csv").contents.read(), b"0\n1\n2\n3\n4\n"))

# A Python file, and its log while it runs.
script = f"{base}/script.py"
w.dbfs.upload(script, io.BytesIO(f"""
import os, sys, time
from pyspark.sql import SparkSession
print('rows', SparkSession.builder.getOrCreate().range(int(sys.argv[1])).count(), flush=True)
while not os.path.exists('/dbfs{base}/go'):
    time.sleep(0.05)
print('last')
""".encode()), overwrite=True)


def logs_while_running():
    run = submit(w, spark_python_task=jobs.SparkPythonTask(python_file="dbfs:" + script, parameters=["17"]), existing_cluster_id=cluster)
    task = w.jobs.get_run(run.run_id).tasks[0].run_id
    seen = wait(lambda: (w.jobs.get_run_output(task).logs or "").splitlines(), timeout=120)
    eq(seen[-1], "rows 17")
    eq(w.jobs.get_run(run.run_id).state.life_cycle_state, jobs.RunLifeCycleState.RUNNING)
    w.dbfs.upload(base + "/go", io.BytesIO(b""))
    return eq(succeeded(output(w, run.run_id)).logs.splitlines()[-1], "last")


check("a Python file, whose log is read while it runs", logs_while_running)

# A wheel: its entry point, its arguments, and Spark in it.
wheel = io.BytesIO()
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("azml_wheel/__init__.py", """
import argparse
def main():
    from pyspark.sql import SparkSession
    parser = argparse.ArgumentParser(); parser.add_argument('--rows', type=int); parser.add_argument('words', nargs='*')
    given = parser.parse_args()
    print('wheel', SparkSession.builder.getOrCreate().range(given.rows or 0).count(), given.words)
""")
    archive.writestr("azml_wheel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: azml-wheel\nVersion: 1.0\n")
    archive.writestr("azml_wheel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr("azml_wheel-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun-it = azml_wheel:main\n")
    archive.writestr("azml_wheel-1.0.dist-info/RECORD", "")
path = base + "/azml_wheel-1.0-py3-none-any.whl"
w.dbfs.upload(path, io.BytesIO(wheel.getvalue()), overwrite=True)
libraries = [compute.Library(whl="dbfs:" + path)]


def wheel_task(**how):
    task = jobs.PythonWheelTask(package_name="azml_wheel", entry_point="run-it", **how)
    return succeeded(output(w, submit(w, python_wheel_task=task, existing_cluster_id=cluster, libraries=libraries).run_id)).logs.splitlines()[-1]


check("a wheel with named parameters", lambda: eq(wheel_task(named_parameters={"rows": "11"}), "wheel 11 []"))
check("a wheel with positional parameters", lambda: eq(wheel_task(parameters=["a", "b c"]), "wheel 0 ['a', 'b c']"))
import_notebook(w, base + "/uses-wheel", "import azml_wheel\ndbutils.notebook.exit(azml_wheel.__name__)")
check("a wheel on the cluster is there for notebooks", lambda: eq(succeeded(output(w, submit(
    w, notebook_task=jobs.NotebookTask(base + "/uses-wheel"), existing_cluster_id=cluster, libraries=libraries).run_id)).notebook_output.result, "azml_wheel"))

# JARs and spark-submit.
jar = base + "/count-lines.jar"
w.dbfs.upload(jar, io.BytesIO((FIXTURES / "jars/count-lines.jar").read_bytes()), overwrite=True)
w.dbfs.upload(base + "/lines.txt", io.BytesIO(b"one\ntwo\nthree\n"), overwrite=True)


def jar_task(*parameters):
    task = jobs.SparkJarTask(main_class_name="CountLines", parameters=list(parameters))
    return output(w, submit(w, spark_jar_task=task, existing_cluster_id=cluster, libraries=[compute.Library(jar="dbfs:" + jar)]).run_id)


check("a JAR reads and writes DBFS", lambda: eq(succeeded(jar_task(f"dbfs:{base}/lines.txt", f"dbfs:{base}/counted")).logs.splitlines()[-1], "lines: 3")
      and "_SUCCESS" in [it.path.rpartition("/")[2] for it in w.dbfs.list(base + "/counted")])


def jar_fails():
    out = jar_task("fail")
    eq(out.error, "java.lang.IllegalStateException: the JAR was told to fail")
    return "CountLines.main" in out.error_trace


check("a JAR that throws shows its exception", jar_fails)


def spark_submit(*parameters):
    task = jobs.SparkSubmitTask(parameters=list(parameters))
    cluster = compute.ClusterSpec(spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1)
    return output(w, submit(w, spark_submit_task=task, new_cluster=cluster).run_id)


check("spark-submit with a JAR", lambda: eq(succeeded(spark_submit("--class", "CountLines", "dbfs:" + jar, f"dbfs:{base}/lines.txt", f"dbfs:{base}/again")).logs.splitlines()[-1], "lines: 3"))
check("spark-submit with a Python file", lambda: "rows 17" in succeeded(spark_submit("--conf", "spark.sql.shuffle.partitions=3", "dbfs:" + script, "17")).logs)

# SQL files.
w.workspace.upload(base + "/query.sql", io.BytesIO(b"create or replace temp view made as select :n * 2 as twice;\nselect * from made"), format=workspace.ImportFormat.RAW, overwrite=True)


def sql_file():
    task = jobs.SqlTask(file=jobs.SqlTaskFile(path=base + "/query.sql"), warehouse_id="warehouse-1", parameters={"n": "21"})
    out = succeeded(output(w, submit(w, sql_task=task).run_id))
    eq(out.sql_output.query_output.warehouse_id, "warehouse-1")
    return "select * from made" in out.sql_output.query_output.query_text


check("a SQL file on a warehouse", sql_file)

# What jobs are made of.
import_notebook(w, base + "/sum", "dbutils.notebook.exit(str(int(dbutils.widgets.get('n')) + 1))")
import_notebook(w, base + "/rows", "dbutils.notebook.exit(str(dbutils.jobs.taskValues.get('all', 'rows')) + dbutils.widgets.get('name'))")


def whole_job():
    on = dict(existing_cluster_id=cluster)
    inner = w.jobs.create(name="inner", tasks=[jobs.Task(task_key="sum", notebook_task=jobs.NotebookTask(base + "/sum", {"n": "1"}), **on)]).job_id
    run = w.jobs.submit(run_name="whole", tasks=[
        jobs.SubmitTask(task_key="all", notebook_task=jobs.NotebookTask(base + "/all"), **on),
        jobs.SubmitTask(task_key="rows", notebook_task=jobs.NotebookTask(base + "/rows", {"name": "{{task.name}}"}), depends_on=[jobs.TaskDependency("all")], **on),
        jobs.SubmitTask(task_key="enough", condition_task=jobs.ConditionTask(op=jobs.ConditionTaskOp.GREATER_THAN, left="{{tasks.all.values.rows}}", right="29"), depends_on=[jobs.TaskDependency("all")]),
        jobs.SubmitTask(task_key="yes", notebook_task=jobs.NotebookTask(base + "/sum", {"n": "5"}), depends_on=[jobs.TaskDependency("enough", "true")], **on),
        jobs.SubmitTask(task_key="no", notebook_task=jobs.NotebookTask(base + "/bad"), depends_on=[jobs.TaskDependency("enough", "false")], **on),
        jobs.SubmitTask(task_key="loop", depends_on=[jobs.TaskDependency("yes")], for_each_task=jobs.ForEachTask(
            inputs="[1, 2, 3]", concurrency=2, task=jobs.Task(task_key="each", notebook_task=jobs.NotebookTask(base + "/sum", {"n": "{{input}}"}), **on))),
        jobs.SubmitTask(task_key="other", run_job_task=jobs.RunJobTask(job_id=inner), depends_on=[jobs.TaskDependency("yes")]),
    ])
    run = ended(w, run.run_id)
    results = {it.task_key: it.state.result_state.value for it in run.tasks}
    eq(results, {"all": "SUCCESS", "rows": "SUCCESS", "enough": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED", "loop": "SUCCESS", "other": "SUCCESS"})
    by_key = {it.task_key: it.run_id for it in run.tasks}
    eq(w.jobs.get_run_output(by_key["rows"]).notebook_output.result, "30rows")
    loop = w.jobs.get_run(by_key["loop"])
    return eq(sorted(w.jobs.get_run_output(it.run_id).notebook_output.result for it in loop.iterations), ["2", "3", "4"])


check("a job of notebooks, a condition, a loop and another job", whole_job)


def cluster_jar():
    """A JAR of the cluster is on the class path of the JVM that starts after it."""
    other = start_cluster(w, "with-jar")
    w.libraries.install(other, [compute.Library(jar="dbfs:" + jar), compute.Library(maven=compute.MavenLibrary("no.such:package:1")), compute.Library(cran=compute.RCranLibrary("ada"))])
    by_kind = lambda: {"jar" if it.library.jar else "maven" if it.library.maven else "cran": it for it in w.libraries.cluster_status(other)}
    over = (compute.LibraryInstallStatus.INSTALLED, compute.LibraryInstallStatus.FAILED)
    seen = wait(lambda: (lambda them: all(it.status in over for it in them.values()) and them)(by_kind()), timeout=120)
    eq({kind: it.status.value for kind, it in seen.items()}, {"jar": "INSTALLED", "maven": "FAILED", "cran": "FAILED"})
    assert "no.such" in seen["maven"].messages[0], seen["maven"].messages
    eq(seen["cran"].messages, ["R is not available on a local cluster"])
    import_notebook(w, base + "/uses-jar", "dbutils.notebook.exit(sc._jvm.java.lang.Class.forName('CountLines', True, sc._jvm.Thread.currentThread().getContextClassLoader()).getName())")
    got = succeeded(notebook(w, base + "/uses-jar", other)).notebook_output.result
    w.clusters.permanent_delete(other)
    return eq(got, "CountLines")


check("JARs are on the class path of their cluster; what cannot be had is FAILED with the reason", cluster_jar)


def packages():
    w.libraries.install(cluster, [compute.Library(pypi=compute.PythonPyPiLibrary(package="no-such-package-of-azml==9"))])
    status = wait(lambda: [it for it in w.libraries.cluster_status(cluster) if it.library.pypi and it.status == compute.LibraryInstallStatus.FAILED], timeout=60)
    return bool(status[0].messages)


check("a package that cannot be had fails with pip's words", packages)
done("flow_tasks")
