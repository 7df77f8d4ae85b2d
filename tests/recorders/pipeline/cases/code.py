"""The four kinds of code and what goes with them."""
from .case import jar, local, notebook, pipeline, script, step

TRAIN = {"src/train.py": "import sys\n\nprint(sys.argv)\n"}
ARGUMENTS = ["--rate", "0.1", "", " ", "|", "a|b", "a||b", "|-", "semi;colon", "key=value", "comma,comma", '"quoted"', "it's",
             "back\\slash", "new\nline", "tab\t", "größe", "数据", "🍷", "--", "$HOME", "%20", "{}"]

CASES = [
    pipeline("notebook", notebook()),
    pipeline("notebook-with-params", notebook(notebook_params={"rate": "0.1", "label": "quality"})),
    pipeline("notebook-params-keep-their-order", notebook(notebook_params={"z": "1", "a": "2", "m": "3", "B": "4"})),
    pipeline("notebook-params-of-other-types", notebook(notebook_params={
        "int": 3, "zero": 0, "negative": -7, "large": 9007199254740993, "float": 0.1, "whole": 100.0, "small": 1e-05, "huge": 1e16,
        "minus": -0.0, "yes": True, "no": False, "text": "3"})),
    pipeline("notebook-params-with-special-characters", notebook(notebook_params={
        "semi": "a;b", "equals": "a=b", "pipe": "a|b", "quote": '"\'', "newline": "a\nb", "empty": "", "größe": "ä€🍷", "with space": " x "})),
    pipeline("notebook-params-empty", notebook(notebook_params={})),
    pipeline("notebook-param-null", notebook(notebook_params={"nothing": None}), extensions=("null argument",)),
    pipeline("notebook-path-with-unicode", notebook(notebook_path="/Users/jörg@example.test/Übung 1/数据")),
    pipeline("script-on-dbfs", script()),
    pipeline("script-on-dbfs-with-params", script(python_script_params=["--rate", "0.1", "positional"])),
    pipeline("script-params-with-special-characters", script(python_script_params=ARGUMENTS)),
    pipeline("script-params-empty", script(python_script_params=[])),
    pipeline("script-on-s3", script(python_script_path="s3://bucket/train.py")),
    pipeline("local-script", local(), source_files=TRAIN),
    pipeline("local-script-with-params", local(python_script_params=["--arg", "a|b"]), source_files=TRAIN),
    pipeline("local-script-in-a-folder-with-others", local(python_script_name="jobs/train.py"), source_files={
        "src/jobs/train.py": "import jobs.common\n", "src/jobs/common.py": "X = 1\n", "src/jobs/__init__.py": "",
        "src/data/größe.csv": "a;b\n1;2\n", "src/README": ""}),
    pipeline("local-script-with-amlignore", local(), source_files={
        **TRAIN, "src/.amlignore": "*.log\nsecret/\n", "src/run.log": "x\n", "src/secret/key": "k\n", "src/lib/a.py": "\n"}),
    pipeline("local-scripts-of-one-folder", local("prepare", python_script_name="prepare.py"), local("train"),
             source_files={**TRAIN, "src/prepare.py": "pass\n"}),
    pipeline("local-scripts-of-two-folders", local("prepare", python_script_name="prepare.py", source_directory="prepare"),
             local("train"), source_files={**TRAIN, "prepare/prepare.py": "pass\n"}),
    pipeline("jar", jar()),
    pipeline("jar-with-params", jar(jar_params=["a1", "a2", "--depth=3"])),
    pipeline("jar-params-with-special-characters", jar(jar_params=ARGUMENTS)),
    pipeline("jar-params-empty", jar(jar_params=[])),
    pipeline("jar-without-libraries", jar(jar_libraries=[])),
    pipeline("all-four-kinds", notebook("notebook"), script("script"), local("local"), jar("jar"), source_files=TRAIN),
    pipeline("step-name-with-special-characters", notebook("Übung: 1 / 'größe' | 数据 🍷")),
    pipeline("every-optional-key-null", step(
        "train", notebook_path="/Shared/train", num_workers=1, inputs=None, outputs=None, existing_cluster_id=None, spark_version=None,
        node_type=None, instance_pool_id=None, min_workers=None, max_workers=None, spark_env_variables=None, spark_conf=None,
        init_scripts=None, cluster_log_dbfs_path=None, notebook_params=None, python_script_path=None, python_script_params=None,
        main_class_name=None, jar_params=None, python_script_name=None, source_directory=None, run_name=None, timeout_seconds=None,
        maven_libraries=None, pypi_libraries=None, egg_libraries=None, jar_libraries=None, rcran_libraries=None, version=None,
        permit_cluster_restart=None)),
]
