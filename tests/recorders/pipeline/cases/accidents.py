"""What the SDK submits although it can mean nothing good; a builder of ours refuses it and says why."""
from .case import jar, local, notebook, pipeline, script
from .code import TRAIN


def odd(name, why, **keys):
    return pipeline(name, notebook(**keys), why=why)


EXISTING = {"existing_cluster_id": "1234-567890-abc123"}
IGNORED = "beside an existing cluster it is ignored"

CASES = [
    odd("workers-negative", "a cluster has no negative number of workers", num_workers=-1),
    odd("workers-true", "a truth value is no number", num_workers=True),
    odd("min-workers-above-max-workers", "nothing lies between the limits", num_workers=None, min_workers=4, max_workers=1),
    odd("min-workers-negative", "a cluster has no negative number of workers", num_workers=None, min_workers=-2, max_workers=1),
    odd("workers-beside-an-existing-cluster", IGNORED, **EXISTING),
    odd("node-type-beside-an-existing-cluster", IGNORED, num_workers=None, node_type="Standard_DS3_v2", **EXISTING),
    odd("pool-beside-an-existing-cluster", IGNORED, num_workers=None, instance_pool_id="pool", **EXISTING),
    odd("spark-version-of-a-wrong-type-beside-an-existing-cluster", IGNORED, num_workers=None, spark_version=5, **EXISTING),
    odd("spark-conf-beside-an-existing-cluster", IGNORED, num_workers=None, spark_conf={"a": "b"}, **EXISTING),
    odd("environment-beside-an-existing-cluster", IGNORED, num_workers=None, spark_env_variables={"A": "B"}, **EXISTING),
    odd("init-scripts-beside-an-existing-cluster", IGNORED, num_workers=None, init_scripts=["dbfs:/init.sh"], **EXISTING),
    odd("cluster-log-beside-an-existing-cluster", IGNORED, num_workers=None, cluster_log_dbfs_path="dbfs:/logs", **EXISTING),
    odd("existing-cluster-empty", "the id is empty, and is sent", existing_cluster_id="", num_workers=None),
    pipeline("name-empty", notebook(""), why="a step without a name cannot be referred to"),
    pipeline("name-twice", notebook("a"), notebook("a", notebook_path="/other"), why="the steps cannot be told apart"),
    pipeline("same-step-twice", notebook("a"), notebook("a"), why="both nodes share one module"),
    odd("notebook-path-empty", "there is no such notebook", notebook_path=""),
    odd("notebook-path-relative", "Databricks wants an absolute path", notebook_path="train"),
    pipeline("script-path-empty", script(python_script_path=""), why="there is no such script"),
    pipeline("main-class-empty", jar(main_class_name=""), why="there is no such class"),
    pipeline("compute-target-empty", notebook(compute_target=""), why="there is no such compute target"),
    odd("timeout-negative", "time does not run backwards", timeout_seconds=-1),
    odd("timeout-true", "a truth value is no time", timeout_seconds=True),
    odd("allow-reuse-no-truth-value", "any text counts as true, and another text makes another module", allow_reuse="sometimes"),
    odd("permit-restart-no-truth-value", "not checked, and sent as it is", num_workers=None, permit_cluster_restart="maybe", **EXISTING),
    odd("notebook-param-a-mapping", "Python's way to print a dict is sent", notebook_params={"a": {"b": 1}}),
    odd("notebook-param-a-list", "Python's way to print a list is sent", notebook_params={"a": ["b", 1]}),
    pipeline("script-params-a-mapping", script(python_script_params={"a": "b"}), why="only the keys are sent"),
    pipeline("script-params-a-text", script(python_script_params="abc"), why="each character becomes an argument"),
    odd("jar-params-of-a-notebook", "ignored", jar_params=["a"]),
    odd("script-params-of-a-notebook", "ignored", python_script_params=["a"]),
    pipeline("notebook-params-of-a-script", script(notebook_params={"a": "b"}), why="ignored"),
    pipeline("source-directory-of-a-notebook", notebook(source_directory="src"), source_files=TRAIN, why="ignored"),
    pipeline("hash-paths", local(hash_paths=["train.py"]), source_files=TRAIN, why="ignored with a warning"),
    odd("pypi-library-without-package", "an empty package is sent", pypi_libraries=[{"repo": "http://a.test"}]),
    odd("pypi-library-no-text", "a value of another type is dropped", pypi_libraries=[{"package": 5}]),
    odd("maven-library-without-coordinates", "empty coordinates are sent", maven_libraries=[{"repo": "http://a.test"}]),
    odd("rcran-library-without-package", "an empty package is sent", rcran_libraries=[{}]),
    odd("egg-library-empty", "the path is empty, and nothing is sent", egg_libraries=[""]),
    odd("pypi-library-with-separator", "the text reads as two libraries", pypi_libraries=[{"package": "a;package=b"}]),
    odd("egg-library-with-separator", "the text reads as two libraries", egg_libraries=["dbfs:/a,b.egg"]),
    odd("spark-conf-key-with-separator", "the text reads as another setting", spark_conf={"a=b;c": "d"}),
    odd("init-script-with-separator", "the text reads as two scripts", init_scripts=["dbfs:/a,b.sh"]),
    pipeline("run-after-twice", notebook("a"), notebook("b", run_after=["a", "a"]), why="two ports wait for one step"),
    pipeline("no-steps", why="nothing runs"),
    pipeline("cycle-not-validated", notebook("a", run_after=["b"]), notebook("b", run_after=["a"]), validate=False, only_sent=True,
             why="only validate() looks for cycles; submit() sends them"),
]
