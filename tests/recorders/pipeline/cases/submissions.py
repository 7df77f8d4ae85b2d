"""What the pipeline as a whole says, and what a submission or a publication adds."""
from .case import local, notebook, parameter, pipeline
from .code import TRAIN

CHAIN = (notebook("a", outputs=["x"]), notebook("b", inputs=["x"]))

CASES = [
    pipeline("description", notebook(), description="Trains, and says so: größe 🍷"),
    pipeline("description-empty", notebook(), description=""),
    pipeline("experiment", notebook(), experiment="wine"),
    pipeline("experiment-and-description", notebook(), experiment="wine", description="trains"),
    pipeline("continue-on-step-failure", *CHAIN, continue_on_step_failure=True),
    pipeline("stop-on-step-failure", *CHAIN, continue_on_step_failure=False),
    pipeline("regenerate-outputs", *CHAIN, submit={"regenerate_outputs": True}),
    pipeline("regenerate-outputs-of-a-local-script", local(inputs=["wine"]), source_files=TRAIN, submit={"regenerate_outputs": True},
             data=[{"name": "wine", "datastore": "workspaceblobstore", "path": "wine"}]),
    pipeline("published", notebook(), publish={"name": "nightly"}),
    pipeline("published-with-everything", notebook("a", outputs=["x"], notebook_params={"rate": parameter("rate")}), notebook("b", inputs=["x", "wine"]),
             parameters={"rate": "0.1"}, data=[{"name": "wine", "datastore": "workspaceblobstore", "path": "wine"}],
             publish={"name": "nightly größe", "description": "every night", "version": "1.0", "continue_on_step_failure": True}),
    pipeline("everything-at-once",
             notebook("notebook-step", inputs=["input"], outputs=["out1"], notebook_params={"myparam": parameter("myparam"), "fixed": "v"},
                      pypi_libraries=[{"package": "scikit-learn==1.0", "repo": "http://my.repo/simple"}], jar_libraries=["dbfs:/a.jar"],
                      run_name="NB_run", timeout_seconds=600, version="1", allow_reuse=False),
             local("script-local", inputs=["out1"], existing_cluster_id="1234-567890-abc123", num_workers=None, permit_cluster_restart=True,
                   python_script_params=["--arg", "a|b", parameter("depth")], run_after=["notebook-step"]),
             description="all kinds of things", experiment="wine", default_datastore="workspaceblobstore", continue_on_step_failure=True,
             parameters={"myparam": "pdef", "depth": "3"}, data=[{"name": "input", "datastore": "workspaceblobstore", "path": "dbtest"}],
             source_files=TRAIN, submit={"pipeline_parameters": {"depth": "5"}, "regenerate_outputs": True}),
]
