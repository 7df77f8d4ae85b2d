"""Shared by the parts of the suite `spark`: the official databricks-sdk, on tasks that really run.

Environment beside that of the suite `databricks`: AZML_MOCK (the program azml-mock), AZML_SPARK_PYTHON (an interpreter
with pyspark, for mocks of a part's own), FIXTURES (the project's fixtures).
"""
import contextlib
import datetime
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "databricks"))
from flow_common import check, client, done, eq, uid, wait  # noqa: E402,F401
from databricks.sdk.service import compute, jobs, workspace  # noqa: E402,F401

LIMIT = datetime.timedelta(minutes=5)
FIXTURES = pathlib.Path(os.environ["FIXTURES"])


def import_notebook(w, path, source, language=workspace.Language.PYTHON, form=workspace.ImportFormat.SOURCE):
    """Puts a notebook into the workspace."""
    w.workspace.mkdirs(path.rpartition("/")[0])
    w.workspace.upload(path, io.BytesIO(source.encode()), format=form, language=language, overwrite=True)
    return path


def start_cluster(w, name, **more):
    """A running cluster, by its id."""
    made = w.clusters.create(cluster_name=name, spark_version="15.4.x-scala2.12", node_type_id="Standard_DS3_v2", num_workers=1, **more)
    return made.result(timeout=LIMIT).cluster_id


def submit(w, **task):
    """Submits one task; the answer waits for its end with `result`."""
    return w.jobs.submit(run_name="one", tasks=[jobs.SubmitTask(task_key="main", **task)])


def ended(w, run_id):
    """The run after its end, whatever that was."""
    def look():
        run = w.jobs.get_run(run_id)
        return run if run.end_time else None
    return wait(look, timeout=240, every=0.1)


def output(w, run_id):
    """What the only task of a run left, after its end."""
    return w.jobs.get_run_output(ended(w, run_id).tasks[0].run_id)


def notebook(w, path, cluster=None, **parameters):
    """Runs a notebook; the answer is its output."""
    task = jobs.NotebookTask(notebook_path=path, base_parameters=parameters or None)
    return output(w, submit(w, notebook_task=task, existing_cluster_id=cluster).run_id)


def succeeded(out):
    """The output, which has to be that of a success."""
    assert out.metadata.state.result_state == jobs.RunResultState.SUCCESS, (out.error, out.error_trace, out.logs)
    return out


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def own_mock(*options):
    """A mock of this part's own: its client, its process. Ends with the block."""
    folder = pathlib.Path(tempfile.mkdtemp())
    ready = folder / "ready.json"
    command = [os.environ["AZML_MOCK"], "serve", "--listen", "127.0.0.1:0", "--ready-file", ready, "--executor", "local",
               "--python", os.environ["AZML_SPARK_PYTHON"], *options]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        said = json.loads(wait(lambda: ready.exists() and ready.read_text()))
        yield client(host=said["url"], token=said["databricks_token"]), process
    finally:
        process.terminate()
        process.wait(timeout=20)


JVM = "sc._jvm.ProcessHandle.current().pid()"
