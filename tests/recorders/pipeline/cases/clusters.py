"""Existing and new clusters, and what holds for the run as a whole."""
from .case import jar, local, notebook, pipeline, script
from .code import TRAIN


def existing(**keys):
    return notebook(**{"existing_cluster_id": "1234-567890-abc123", "num_workers": None, **keys})


def scaled(low, high, **keys):
    return notebook(num_workers=None, min_workers=low, max_workers=high, **keys)


CASES = [
    pipeline("existing-cluster", existing()),
    pipeline("existing-cluster-may-restart", existing(permit_cluster_restart=True)),
    pipeline("existing-cluster-may-not-restart", existing(permit_cluster_restart=False)),
    pipeline("existing-cluster-for-a-local-script", local(existing_cluster_id="1234-567890-abc123", num_workers=None),
             source_files=TRAIN),
    pipeline("new-cluster-without-workers", notebook(num_workers=0)),
    pipeline("new-cluster-of-many-workers", notebook(num_workers=100)),
    pipeline("new-cluster-that-scales", scaled(1, 4)),
    pipeline("new-cluster-that-scales-from-nothing", scaled(0, 8)),
    pipeline("new-cluster-that-scales-within-one-number", scaled(2, 2)),
    pipeline("new-cluster-spark-version", notebook(spark_version="15.4.x-cpu-ml-scala2.12")),
    pipeline("new-cluster-node-type", notebook(node_type="Standard_DS3_v2")),
    pipeline("new-cluster-from-a-pool", notebook(instance_pool_id="1101-120000-pool-abc")),
    pipeline("new-cluster-from-a-pool-that-scales", scaled(1, 3, instance_pool_id="1101-120000-pool-abc")),
    pipeline("new-cluster-spark-conf", notebook(spark_conf={"spark.sql.shuffle.partitions": "8", "spark.a": "x=y;z", "spark.empty": ""})),
    pipeline("new-cluster-spark-conf-empty", notebook(spark_conf={})),
    pipeline("new-cluster-spark-conf-of-other-types", notebook(spark_conf={"spark.int": 8, "spark.flag": True, "spark.share": 0.75})),
    pipeline("new-cluster-environment", notebook(spark_env_variables={"B": "2", "A": "1", "PATH": "/a:/b", "TEXT": "ä b;c=d"})),
    pipeline("new-cluster-environment-empty", notebook(spark_env_variables={})),
    pipeline("new-cluster-log-path", notebook(cluster_log_dbfs_path="dbfs:/cluster-logs/train")),
    pipeline("new-cluster-init-script", notebook(init_scripts=["dbfs:/init/one.sh"])),
    pipeline("new-cluster-init-scripts", notebook(init_scripts=["dbfs:/init/one.sh", "/Workspace/two.sh", "/Volumes/a/b/three.sh"])),
    pipeline("new-cluster-init-scripts-empty", notebook(init_scripts=[])),
    pipeline("new-cluster-everything", notebook(
        spark_version="13.3.x-scala2.12", node_type="Standard_E8s_v3", num_workers=3, spark_env_variables={"A": "1"},
        spark_conf={"spark.a": "1"}, init_scripts=["dbfs:/init.sh"], cluster_log_dbfs_path="dbfs:/logs", run_name="everything",
        timeout_seconds=3600)),
    pipeline("run-name", notebook(run_name="nightly training")),
    pipeline("run-name-with-special-characters", notebook(run_name="Übung: 'größe' | 数据; 🍷")),
    pipeline("run-name-empty", notebook(run_name="")),
    pipeline("timeout", notebook(timeout_seconds=600)),
    pipeline("timeout-zero", notebook(timeout_seconds=0)),
    pipeline("compute-target", notebook(compute_target="other-databricks")),
    pipeline("compute-target-of-some-steps", notebook("a"), notebook("b", compute_target="other-databricks")),
    pipeline("compute-target-only-of-steps", notebook(compute_target="own"), default_compute=None),
    pipeline("reuse-allowed", notebook(allow_reuse=True)),
    pipeline("reuse-not-allowed", notebook(allow_reuse=False)),
    pipeline("version", notebook(version="2024-06-01 ü")),
    pipeline("version-empty", notebook(version="")),
    pipeline("version-without-reuse", script(version="7", allow_reuse=False)),
    pipeline("each-kind-on-another-cluster", notebook("a", num_workers=2),
             script("b", existing_cluster_id="0000-111111-abc", num_workers=None, permit_cluster_restart=True),
             jar("c", num_workers=None, min_workers=1, max_workers=2, instance_pool_id="pool")),
]
