"""One warm JVM for each running cluster: shared, replaced, given up, and ended with its cluster."""
from spark_common import *

w = client()
me = w.current_user.me().user_name
base = f"/Users/{me}/clusters-{uid()}"
import_notebook(w, base + "/who", f"dbutils.notebook.exit(f'{{sc.applicationId}} {{{JVM}}}')")
import_notebook(w, base + "/wait", f"""
import os, time
print(spark.range(3).count())
open('/dbfs/waits-' + dbutils.widgets.get('name'), 'w').close()
while not os.path.exists('/dbfs/go-' + dbutils.widgets.get('name')):
    spark.range(3).count(); time.sleep(0.1)
dbutils.notebook.exit('went on')
""".lstrip())


def who(cluster):
    application, pid = succeeded(notebook(w, base + "/who", cluster)).notebook_output.result.split()
    return application, int(pid)


def exists(path):
    try:
        return w.dbfs.get_status(path)
    except Exception:
        return None


def waiting(cluster, name):
    run = submit(w, notebook_task=jobs.NotebookTask(base + "/wait", {"name": name}), existing_cluster_id=cluster)
    return run.run_id


def let_go(name):
    w.dbfs.upload("/go-" + name, io.BytesIO(b""))


one, two = start_cluster(w, "one"), start_cluster(w, "two")
first = check("a task starts the JVM of its cluster", lambda: who(one))
check("the next task uses it", lambda: eq(who(one), first))
other = check("another cluster has another JVM", lambda: who(two))
check("they are different", lambda: first[1] != other[1])


def two_at_once():
    runs = [waiting(one, name) for name in ("a", "b")]
    wait(lambda: exists("/waits-a") and exists("/waits-b"), timeout=60)
    for name in ("a", "b"):
        let_go(name)
    return eq([succeeded(output(w, it)).notebook_output.result for it in runs], ["went on"] * 2)


check("two tasks at once share it", two_at_once)


def crash():
    run = waiting(one, "crash")
    wait(lambda: exists("/waits-crash"), timeout=60)
    os.kill(first[1], signal.SIGKILL)
    out = output(w, run)
    eq(out.metadata.state.result_state, jobs.RunResultState.FAILED)
    assert out.error.startswith(f"The Spark driver of {one} has stopped unexpectedly (the JVM was ended by signal 9"), out.error
    again = who(one)
    assert again[1] != first[1], again
    return again


again = check("a JVM that dies fails its task with the reason, and the next task gets a new one", crash)


def queued():
    busy = [waiting(one, "q1"), waiting(two, "q2")]
    wait(lambda: exists("/waits-q1") and exists("/waits-q2"), timeout=60)
    three = start_cluster(w, "three")
    late = submit(w, notebook_task=jobs.NotebookTask(base + "/who"), existing_cluster_id=three).run_id
    seen = w.jobs.get_run(late)
    eq((seen.state.life_cycle_state, seen.status.state), (jobs.RunLifeCycleState.QUEUED, jobs.RunLifecycleStateV2State.QUEUED))
    let_go("q2")
    succeeded(output(w, late))
    assert not is_alive(other[1]), "the idle JVM gave way"
    assert is_alive(again[1])
    let_go("q1")
    for run in busy:
        succeeded(output(w, run))
    return True


check("a third cluster waits until one of two JVMs is idle, which gives way", queued)


def plain_python_is_not_held_up():
    busy = waiting(one, "p1")
    wait(lambda: exists("/waits-p1"), timeout=60)
    w.dbfs.upload("/plain.py", io.BytesIO(b"print('plain')"), overwrite=True)
    out = succeeded(output(w, submit(w, spark_python_task=jobs.SparkPythonTask(python_file="dbfs:/plain.py")).run_id))
    let_go("p1")
    succeeded(output(w, busy))
    return eq(out.logs, "plain\n")


check("a task without Spark needs no JVM", plain_python_is_not_held_up)


def canceled():
    import_notebook(w, base + "/long", "open('/dbfs/long', 'w').close()\nspark.range(10 ** 14).selectExpr('sum(id % 7)').collect()")
    run = submit(w, notebook_task=jobs.NotebookTask(base + "/long"), existing_cluster_id=one).run_id
    wait(lambda: exists("/long"), timeout=60)
    w.jobs.cancel_run(run).result(timeout=LIMIT)
    eq(w.jobs.get_run(run).state.result_state, jobs.RunResultState.CANCELED)
    import_notebook(w, base + "/idle", """
import time
for _ in range(600):
    if not sc._jsc.statusTracker().getActiveJobIds(): break
    time.sleep(0.05)
else: raise TimeoutError('the canceled job goes on')
""".lstrip())
    return succeeded(notebook(w, base + "/idle", one))


check("what is canceled ends in the JVM, too", canceled)


def context():
    made = w.command_execution.create(cluster_id=one, language=compute.Language.PYTHON).result(timeout=LIMIT)
    ask = lambda text: w.command_execution.execute(cluster_id=one, context_id=made.id, language=compute.Language.PYTHON, command=text).result(timeout=LIMIT).results
    ask("x = spark.range(4).count()")
    eq(ask(f"print(x, {JVM})").data, f"4 {who(one)[1]}")
    table = ask("display(spark.range(2))")
    eq((table.result_type, table.data), (compute.ResultType.TABLE, [[0], [1]]))
    w.command_execution.destroy(one, made.id)
    return True


check("a context attaches to the JVM of its cluster", context)


def ends_with_its_cluster():
    pid = who(one)[1]
    w.clusters.delete(one).result(timeout=LIMIT)
    wait(lambda: not is_alive(pid), timeout=10)
    return True


check("a cluster that is terminated takes its JVM along", ends_with_its_cluster)


def nothing_outlives_a_killed_mock():
    with own_mock() as (mine, process):
        import_notebook(mine, "/Shared/pids", f"""
import os, time
open('/dbfs/pids.part', 'w').write(f'{{{JVM}}} {{os.getpid()}}')
os.rename('/dbfs/pids.part', '/dbfs/pids')
time.sleep(600)
""".lstrip())
        submit(mine, notebook_task=jobs.NotebookTask("/Shared/pids"), existing_cluster_id=start_cluster(mine, "c"))

        def pids():
            try:
                return [int(it) for it in mine.dbfs.download("/pids").read().split()]
            except Exception:
                return None
        found = wait(pids, timeout=120)
        assert all(is_alive(it) for it in found[:1])
        process.kill()
        wait(lambda: not is_alive(found[0]), timeout=20)
        return True


check("nothing outlives a mock that is killed", nothing_outlives_a_killed_mock)


def own_spark():
    """A standalone cluster of Spark, from the same package: one master, two workers."""
    python = os.environ["AZML_SPARK_PYTHON"]
    home = subprocess.run([python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))"], capture_output=True, text=True, check=True).stdout.strip()
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1", "PYSPARK_PYTHON": python}
    folder = pathlib.Path(tempfile.mkdtemp())
    started = []

    def start(name, *arguments):
        log = folder / f"{name}.log"
        command = [f"{home}/bin/spark-class", *arguments]
        started.append(subprocess.Popen(command, env={**env, "SPARK_WORKER_DIR": str(folder / name)}, stdout=open(log, "wb"), stderr=subprocess.STDOUT, start_new_session=True))
        return log

    try:
        log = start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        said = lambda text: next((it for it in log.read_text().splitlines() if text in it), None)
        master = "spark://127.0.0.1:" + wait(lambda: said("Starting Spark master at"), timeout=60).rpartition(":")[2].strip()
        for name in ("first", "second"):
            start(name, "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g", master)
        wait(lambda: sum("Registering worker" in it for it in log.read_text().splitlines()) == 2, timeout=60)
        with own_mock("--spark-master", master) as (mine, _):
            import_notebook(mine, "/Shared/where", """
import os
def place(_):
    import socket
    yield os.getppid()
# Once both workers have an executor.
import time
for _ in range(200):
    if sc._jsc.sc().getExecutorMemoryStatus().size() == 3: break
    time.sleep(0.1)
spark.range(100).write.mode('overwrite').parquet('dbfs:/hundred')
dbutils.notebook.exit(f"{sc.master} {sc._jsc.sc().getExecutorMemoryStatus().size()} {spark.read.parquet('dbfs:/hundred').count()} {sc.parallelize(range(10), 2).map(lambda it: it * it).sum()}")
""".lstrip())
            got = succeeded(notebook(mine, "/Shared/where", start_cluster(mine, "c"))).notebook_output.result
            return eq(got, f"{master} 3 100 285")
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=20)


check("--spark-master hands the work to a Spark cluster of one's own", own_spark)
done("flow_clusters")
