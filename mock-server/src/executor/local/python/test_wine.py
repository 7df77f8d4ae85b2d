"""Tests of the demo's script and notebook, against a stand-in for the workspace's services."""

from __future__ import annotations

import http.server
import json
import os
import threading
import unittest
from typing import Any

from test_runner import HERE, RunnerTest

FIXTURES = os.path.normpath(os.path.join(HERE, "../../../../../fixtures"))
PREPARED = "wasbs://c1@store1.blob.core.windows.net/azureml/run1/prepared"
WORKSPACE = "subscriptions/s1/resourceGroups/g1/providers/Microsoft.MachineLearningServices/workspaces/w1"


class _Services(http.server.BaseHTTPRequestHandler):
    """Answers as run history, metrics, artifacts and blob storage do."""

    requests: list[tuple[str, str, dict[str, str], bytes]]
    refuse_metrics = False

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.requests.append((self.command, self.path, headers, body))
        status, answer = 200, {}
        if self.path.startswith("/history/"):
            answer = {"runId": "run2", "dataContainerId": "dcid.run2"}
        elif self.path.startswith("/artifact/"):
            path = json.loads(body)["paths"][0]["path"]
            # The account stands before the host, where other URLs have a user.
            uri = f"http://acct.blob.mock@127.0.0.1:{self.server.server_port}/azureml/{path}?sig=secret"
            answer = {"artifactContentInformation": {path: {"contentUri": uri}}}
        elif self.path.startswith("/metric/"):
            status, answer = (403, {"error": "no"}) if self.refuse_metrics else (200, {"errors": []})
        else:
            status = 201
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Prints nothing."""


class Wine(RunnerTest):
    """Prepare, then train."""

    def setUp(self) -> None:
        super().setUp()
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.handler = type("Handler", (_Services,), {"requests": self.requests})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        with open(os.path.join(FIXTURES, "data/winequality-red.csv"), encoding="utf-8") as file:
            self.write("dbfs/FileStore/wine.csv", file.read())

    def prepare(self, data: str = "dbfs:/FileStore/wine.csv") -> dict[str, Any]:
        """Runs the first step."""
        source = os.path.join(FIXTURES, "scripts/prepare/prepare.py")
        parameters = ["--AZUREML_RUN_ID", "run1", "--data", data, "--prepared", PREPARED, "--AZUREML_RUN_TOKEN", "t"]
        return self.run_task(kind="python_file", source=source, parameters=parameters)

    def train(self, engine: str = "python", **widgets: str) -> dict[str, Any]:
        """Runs the second step."""
        source = os.path.join(FIXTURES, "notebooks/train_wine.py")
        widgets = {"prepared": PREPARED, "engine": engine, **widgets}
        return self.run_task(kind="notebook", source=source, path="/Shared/train_wine", widgets=widgets)

    def azureml(self) -> dict[str, str]:
        """The parameters that a DatabricksStep adds."""
        return {
            "--AZUREML_RUN_ID": "run2", "--AZUREML_RUN_TOKEN": "run-token", "--AZUREML_EXPERIMENT_ID": "e1",
            "--AZUREML_SERVICE_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}",
            "--AZUREML_ARM_SUBSCRIPTION": "s1", "--AZUREML_ARM_RESOURCEGROUP": "g1",
            "--AZUREML_ARM_WORKSPACE_NAME": "w1",
        }

    def test_preparing_twice_gives_the_same_tables(self) -> None:
        done = self.prepare()
        self.assertEqual(done["status"], "SUCCESS", done["log"])
        first = [self.read(f"blob/azureml/run1/prepared/{name}.csv") for name in ("train", "test")]
        self.assertEqual([len(text.splitlines()) for text in first], [1075, 286])
        self.prepare()
        second = [self.read(f"blob/azureml/run1/prepared/{name}.csv") for name in ("train", "test")]
        self.assertEqual(first, second)

    def test_a_table_without_rows_is_refused(self) -> None:
        self.write("dbfs/empty.csv", "a,b\nx,y\n")
        self.assertEqual(
            self.prepare("dbfs:/empty.csv")["error"],
            "SystemExit: dbfs:/empty.csv has 0 usable rows; a training needs at least 10",
        )

    def test_training_logs_metrics_and_the_model_to_its_run(self) -> None:
        self.prepare()
        done = self.train(**self.azureml())
        self.assertEqual(done["status"], "SUCCESS", done["log"])
        self.assertIn("engine: plain Python, gradient descent, 60 epochs", done["log"].splitlines())
        result = json.loads(done["exit_value"])
        self.assertLess(result["rmse"], 0.65)

        calls = [(method, path.partition("?")[0]) for method, path, _, _ in self.requests]
        self.assertEqual(calls, [
            *[("POST", f"/metric/v2.0/{WORKSPACE}/runs/run2/batch")] * 2,
            ("GET", f"/history/v1.0/{WORKSPACE}/experimentids/e1/runs/run2"),
            ("POST", f"/artifact/v2.0/{WORKSPACE}/artifacts/batch/metadata/ExperimentRun/dcid.run2"),
            ("PUT", "/azureml/outputs/model.json"),
        ])
        values = [value for *_, body in self.requests[:2] for value in json.loads(body)["values"]]
        self.assertEqual([it["name"] for it in values], ["train_rmse"] * 60 + ["rmse", "mae", "r2"])
        self.assertEqual([it["value"][0]["step"] for it in values[:60]], list(range(60)))
        self.assertEqual(values[60]["value"][0]["data"], {"rmse": result["rmse"]})
        self.assertEqual({it[2].get("authorization") for it in self.requests[:4]}, {"Bearer run-token"})
        upload = self.requests[4]
        self.assertEqual((upload[2].get("authorization"), upload[2]["x-ms-blob-type"]), (None, "BlockBlob"))
        model = json.loads(upload[3])
        self.assertEqual((model["engine"], len(model["features"]), len(model["weights"])), ("python", 11, 11))

    def test_a_refused_metric_fails_the_notebook_without_showing_the_token(self) -> None:
        self.prepare()
        self.handler.refuse_metrics = True
        done = self.train(**self.azureml())
        self.assertRegex(done["error"], r"^RuntimeError: POST http://.*/runs/run2/batch answered 403: ")
        self.assertNotIn("run-token", done["log"])

    def test_a_missing_or_wrong_parameter_is_named(self) -> None:
        error = "ValueError: parameter 'engine' is 'cobol': pass spark or python"
        self.assertEqual(self.train("cobol")["error"], error)
        self.assertEqual(
            self.train(prepared="")["error"],
            "ValueError: parameter 'prepared' is empty: pass the folder of the prepared tables",
        )

    def test_the_spark_engine_without_spark_says_so(self) -> None:
        self.prepare()
        error = "LocalExecutorError: Spark is not available: this task was started without it"
        self.assertEqual(self.train("spark")["error"], error)


if __name__ == "__main__":
    unittest.main()
