"""Inputs and outputs."""
from .case import jar, local, notebook, parameter, pipeline, script
from .code import TRAIN

WINE = {"name": "wine", "datastore": "workspaceblobstore", "path": "wine/2024"}

CASES = [
    pipeline("data-reference", notebook(inputs=["wine"]), data=[WINE]),
    pipeline("data-reference-without-path", notebook(inputs=["all"]), data=[{"name": "all", "datastore": "workspaceblobstore"}]),
    pipeline("data-reference-with-special-path", notebook(inputs=["größe"]),
             data=[{"name": "größe", "datastore": "workspaceblobstore", "path": "/a b/ü/*.csv/"}]),
    pipeline("data-reference-in-the-default-datastore", notebook(inputs=["wine"]), data=[{"name": "wine", "path": "wine"}]),
    pipeline("data-reference-in-another-datastore", notebook(inputs=["wine"]), data=[{**WINE, "datastore": "otherblobstore"}]),
    pipeline("data-reference-of-two-steps", notebook("a", inputs=["wine"]), script("b", inputs=["wine"]), data=[WINE]),
    pipeline("data-references", local(inputs=["b", "wine", "a"]), source_files=TRAIN, data=[
        {**WINE, "name": "a"}, WINE, {**WINE, "name": "b", "path": "b"}, {**WINE, "name": "unused"}]),
    pipeline("data-reference-by-download", notebook(inputs=["wine"]), extensions=("mode", "path_on_compute", "overwrite"),
             data=[{**WINE, "mode": "download", "path_on_compute": "inputs/wine", "overwrite": True}]),
    pipeline("output", notebook(outputs=["model"])),
    pipeline("output-in-a-datastore", notebook(outputs=[{"name": "model", "datastore": "otherblobstore"}])),
    pipeline("output-in-databricks-files", notebook(outputs=[{"name": "model", "datastore": "dbfsstore"}])),
    pipeline("outputs", jar(outputs=["b", {"name": "a", "datastore": "workspaceblobstore"}, "größe"])),
    pipeline("default-datastore", notebook("a", inputs=["wine"], outputs=["own", {"name": "other", "datastore": "workspaceblobstore"}]),
             notebook("b", inputs=["own", "other"]), data=[{"name": "wine", "path": "wine"}], default_datastore="otherblobstore"),
    pipeline("output-directory", notebook(outputs=[{"name": "model", "is_directory": True}]), extensions=("is_directory",)),
    pipeline("output-with-data-type", notebook(outputs=[{"name": "model", "data_type": "AnyDirectory"}]), extensions=("data_type",)),
    pipeline("output-with-another-output-name", notebook("a", outputs=[{"name": "model", "output_name": "trained"}]),
             notebook("b", inputs=["model"]), extensions=("output_name",)),
    pipeline("output-by-upload", notebook(outputs=[{
        "name": "model", "output_mode": "upload", "output_path_on_compute": "outputs/model", "output_overwrite": True}]),
        extensions=("output_mode", "output_path_on_compute", "output_overwrite")),
    pipeline("output-of-the-pipeline", notebook(outputs=[{"name": "model", "pipeline_output_name": "best_model"}]), only_sent=True,
             extensions=("pipeline_output_name",)),
    pipeline("input-under-another-name", notebook("a", outputs=["model"]), notebook("b", inputs=[{"name": "model", "input_name": "trained"}]),
             extensions=("input_name",)),
    pipeline("input-by-download", notebook("a", outputs=["model"]), notebook("b", inputs=[
        {"name": "model", "mode": "download", "path_on_compute": "outputs/model", "overwrite": False}]),
        extensions=("mode", "path_on_compute", "overwrite")),
    pipeline("inputs-and-outputs", notebook("a", inputs=["wine"], outputs=["clean", "rest"]),
             script("b", inputs=["clean", "wine", "rest"], outputs=["model"]), data=[WINE]),
    pipeline("data-path-as-parameter", notebook(inputs=[parameter("source")]), extensions=("data path",),
             parameters={"source": {"datastore": "workspaceblobstore", "path_on_datastore": "wine/2024"}}),
    pipeline("dataset-by-path", notebook("a", inputs=["wine"]), script("b", inputs=["wine"]), extensions=("dataset",), only_sent=True,
             data=[{**WINE, "dataset": "file"}]),
    pipeline("dataset-by-path-and-download", notebook(inputs=["wine", "plain"]), extensions=("dataset", "mode"), only_sent=True,
             data=[{**WINE, "dataset": "file", "mode": "download"}, {**WINE, "name": "plain"}]),
]
