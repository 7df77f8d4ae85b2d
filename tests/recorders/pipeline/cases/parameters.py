"""Parameters of the pipeline, where steps use them."""
from .case import jar, local, notebook, parameter, pipeline, script
from .code import TRAIN

CASES = [
    pipeline("parameter-in-notebook-params", notebook(notebook_params={"rate": parameter("rate"), "fixed": "v"}), parameters={"rate": "0.1"}),
    pipeline("parameter-under-another-key", notebook(notebook_params={"learning rate": parameter("rate")}), parameters={"rate": "0.1"}),
    pipeline("parameter-under-two-keys", notebook(notebook_params={"b": parameter("rate"), "a": parameter("rate")}), parameters={"rate": "0.1"}),
    pipeline("parameters-of-every-type", notebook(notebook_params={key: parameter(key) for key in ("text", "int", "float", "bool")}),
             parameters={"bool": True, "float": 0.5, "int": 3, "text": "x", "unused": "never sent"}),
    pipeline("parameter-floats-as-python-writes-them",
             notebook(notebook_params={key: parameter(key) for key in ("whole", "small", "huge", "minus", "third")}),
             parameters={"whole": 100.0, "small": 1e-05, "huge": 1e16, "minus": -0.0, "third": 0.1 + 0.2}),
    pipeline("parameter-defaults-at-the-edge", notebook(notebook_params={key: parameter(key) for key in ("empty", "zero", "no", "odd")}),
             parameters={"empty": "", "zero": 0, "no": False, "odd": "a;b=c|d 'größe' 🍷"}),
    pipeline("parameter-in-script-params", script(python_script_params=["--depth", parameter("depth"), "end"]), parameters={"depth": "3"}),
    pipeline("parameter-first-in-script-params", script(python_script_params=[parameter("depth"), parameter("rate")]),
             parameters={"rate": "0.1", "depth": "3"}),
    pipeline("parameter-twice-in-script-params", script(python_script_params=[parameter("depth"), "x", parameter("depth")]), parameters={"depth": "3"}),
    pipeline("parameter-with-a-pipe", script(python_script_params=[parameter("a|b")]), parameters={"a|b": "c|d"}),
    pipeline("parameter-in-local-script-params", local(python_script_params=["--depth", parameter("depth")]), parameters={"depth": "3"},
             source_files=TRAIN),
    pipeline("parameter-in-jar-params", jar(jar_params=[parameter("depth"), "a1"]), parameters={"depth": ""}),
    pipeline("parameter-of-two-steps", notebook("a", notebook_params={"rate": parameter("rate")}),
             script("b", python_script_params=[parameter("rate")]), parameters={"rate": "0.1"}),
    pipeline("parameter-with-special-characters", notebook(notebook_params={"größe 1": parameter("größe 1")}), parameters={"größe 1": "x"}),
    pipeline("parameter-in-spark-conf", notebook(spark_conf={"spark.x": parameter("x")}), parameters={"x": "1"},
             extensions=("parameter in spark_conf",)),
    pipeline("parameters-given-at-submission", notebook(notebook_params={key: parameter(key) for key in ("text", "int", "float", "bool")}),
             parameters={"text": "x", "int": 3, "float": 0.5, "bool": True},
             submit={"pipeline_parameters": {"text": "y;z", "int": -4, "float": 1e-07, "bool": False}}),
    pipeline("some-parameters-given-at-submission", notebook(notebook_params={"a": parameter("a"), "b": parameter("b")}),
             parameters={"a": "1", "b": "2"}, submit={"pipeline_parameters": {"b": ""}}),
]
