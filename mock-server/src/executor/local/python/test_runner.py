"""Tests of the task runner with the standard library alone.

    cd mock-server/src/executor/local/python && python3 -m unittest
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import parse_qsl

HERE = os.path.dirname(os.path.abspath(__file__))


class RunnerTest(unittest.TestCase):
    """Runs tasks as the executor does: a child process with a clean environment."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.base = scratch.name
        self.roots = {name: self.folder(name) for name in ("dbfs", "workspace", "volumes")}
        self.blob = self.folder("blob")

    def folder(self, name: str) -> str:
        """Makes a folder of this test."""
        path = os.path.join(self.base, name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name: str, content: str) -> str:
        """Writes a file below this test's folder."""
        path = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def read(self, name: str) -> str:
        """Reads a file below this test's folder."""
        with open(os.path.join(self.base, name), encoding="utf-8") as file:
            return file.read()

    def add_notebook(self, name: str, body: str) -> str:
        """Puts a notebook below /Shared of the workspace."""
        content = "# Databricks notebook source\n" + textwrap.dedent(body)
        return self.write(f"workspace/Shared/{name}.py", content)

    def start_task(self, env: Optional[dict[str, str]] = None, **spec: Any) -> subprocess.Popen[str]:
        """Starts a task."""
        blob = {"container": "c1", "account": "store1", "suffix": "core.windows.net", "path": self.blob}
        full = {
            "parameters": [], "widgets": {}, "roots": self.roots, "mounted": False, "blobs": [blob],
            "python_path": [], "redact": [], "host": {}, "context": {}, "spark": None,
            "result": os.path.join(self.base, "result.json"), **spec,
        }
        spec_file = self.write("spec.json", json.dumps(full))
        return subprocess.Popen(
            [sys.executable, "-u", "-B", os.path.join(HERE, "runner.py"), spec_file],
            cwd=self.folder("scratch"), env={"PATH": os.environ["PATH"], **(env or {})},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )

    def run_task(self, env: Optional[dict[str, str]] = None, **spec: Any) -> dict[str, Any]:
        """Runs a task; the answer is its result and, as `log`, its output."""
        child = self.start_task(env, **spec)
        log, _ = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 0, log)
        return {**json.loads(self.read("result.json")), "log": log}

    def serve_secrets(self, scopes: dict[str, dict[str, str]]) -> dict[str, str]:
        """Serves these secrets as a workspace does; the answer is its `host`."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                path, _, query = self.path.partition("?")
                asked = dict(parse_qsl(query))
                secrets = scopes.get(asked.get("scope", ""), {})
                status, answer = 200, {
                    "get": {"key": asked.get("key"), "value": b64(secrets.get(asked.get("key", ""), ""))},
                    "list": {"secrets": [{"key": it} for it in secrets]},
                    "scopes/list": {"scopes": [{"name": it} for it in scopes]},
                }[path.removeprefix("/api/2.0/secrets/")]
                if self.headers["Authorization"] != "Bearer token-1":
                    status, answer = 403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."}
                elif "scope" in asked and asked["scope"] not in scopes:
                    message = f"Scope {asked['scope']} does not exist!"
                    status, answer = 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": message}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        def b64(text: str) -> str:
            return base64.b64encode(text.encode()).decode()

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return {"url": f"http://127.0.0.1:{server.server_port}", "token": "token-1"}

    def notebook(self, source: str, **spec: Any) -> dict[str, Any]:
        """Runs a notebook in source format."""
        file = self.add_notebook("main", source)
        return self.run_task(kind="notebook", source=file, path="/Shared/main", **spec)

    def script(self, source: str, **spec: Any) -> dict[str, Any]:
        """Runs a Python file."""
        file = self.write("code/main.py", textwrap.dedent(source))
        return self.run_task(kind="python_file", source=file, **spec)


class Notebooks(RunnerTest):
    """Cells, magic commands, exit values and errors."""

    def test_the_exit_value_is_reported_and_cannot_be_swallowed(self) -> None:
        done = self.notebook("""\
            dbutils.widgets.text("a", "default")
            try:
                dbutils.notebook.exit("got " + dbutils.widgets.get("a"))
            except Exception:
                print("swallowed")
            """, widgets={"a": "override"})
        self.assertEqual((done["status"], done["exit_value"], done["log"]), ("SUCCESS", "got override", ""))

    def test_a_notebook_without_exit_has_no_exit_value(self) -> None:
        done = self.notebook("1 + 1\n")
        self.assertEqual((done["status"], done["exit_value"], done["log"]), ("SUCCESS", None, "2\n"))

    def test_an_exception_is_reported_with_the_lines_of_its_cell(self) -> None:
        done = self.notebook("""\
            x = 1

            # COMMAND ----------

            def f():
                raise ValueError("boom 42")
            f()
            """)
        self.assertEqual((done["status"], done["error"]), ("FAILED", "ValueError: boom 42"))
        # Newer versions of Python underline the place.
        lines = [line for line in done["error_trace"].splitlines(keepends=True) if line.strip(" ~^\n")]
        self.assertEqual("".join(lines), textwrap.dedent("""\
            Traceback (most recent call last):
              File "<command-2>", line 3, in <module>
                f()
              File "<command-2>", line 2, in f
                raise ValueError("boom 42")
            ValueError: boom 42
            """))
        self.assertEqual(done["log"], done["error_trace"])

    def test_magic_cells_do_what_they_say(self) -> None:
        self.add_notebook("lib/other", "number = 41 + int(dbutils.widgets.get('add'))")
        done = self.notebook("""\
            # MAGIC %md
            # MAGIC # A title

            # COMMAND ----------

            # MAGIC %run ./lib/other $add="1"

            # COMMAND ----------

            # DBTITLE 1,A titled cell
            # MAGIC %python
            # MAGIC print(number)

            # COMMAND ----------

            # MAGIC %sh
            # MAGIC echo shell > /dbfs/made; cat /dbfs/made; false

            # COMMAND ----------

            # MAGIC %fs ls /

            # COMMAND ----------

            # MAGIC %pip --version
            """)
        lines = done["log"].splitlines()
        self.assertEqual((done["status"], lines[:2]), ("SUCCESS", ["42", "shell"]), done["log"])
        self.assertRegex(lines[2], r"^FileInfo\(path='dbfs:/made', name='made', size=6, ")
        self.assertRegex(lines[3], r"^pip \d")

    def test_a_jupyter_notebook_runs(self) -> None:
        cells = [
            {"cell_type": "markdown", "source": ["# A title"]},
            {"cell_type": "code", "source": ["!echo one\n", "x = 2"]},
            {"cell_type": "code", "source": "%sh -e\necho two"},
            {"cell_type": "code", "source": ["dbutils.notebook.exit(x)"]},
        ]
        file = self.write("workspace/n.ipynb", json.dumps({"cells": cells, "nbformat": 4}))
        done = self.run_task(kind="notebook", source=file, path="/n", format="JUPYTER")
        self.assertEqual((done["exit_value"], done["log"]), ("2", "one\ntwo\n"))

    def test_a_child_notebook_has_its_own_variables(self) -> None:
        self.add_notebook("child", "dbutils.notebook.exit(dbutils.widgets.get('n') + str('x' in globals()))")
        self.add_notebook("bad", "1 / 0")
        done = self.notebook("""\
            x = 1
            print(dbutils.notebook.run("./child", 60, {"n": 7}))
            dbutils.notebook.run("bad", 60)
            """)
        self.assertEqual(done["log"].splitlines()[0], "7False")
        self.assertEqual(done["error"], "LocalExecutorError: Notebook bad failed: ZeroDivisionError: division by zero")

    def test_an_unknown_widget_is_named(self) -> None:
        done = self.notebook("dbutils.widgets.get('nope')\n")
        self.assertEqual(done["error"], "InputWidgetNotDefined: No input widget named nope is defined")

    def test_widgets_can_be_declared_listed_and_removed(self) -> None:
        done = self.notebook("""\
            dbutils.widgets.dropdown("d", "1", ["1", "2"])
            dbutils.widgets.combobox("c", "x", [])
            dbutils.widgets.multiselect("m", "p", ["p"])
            dbutils.widgets.remove("c")
            print(dbutils.widgets.getAll())
            dbutils.widgets.removeAll()
            print(dbutils.widgets.getAll(), getArgument("gone", "default"))
            """, widgets={"--AZUREML_RUN_ID": "r1"})
        self.assertEqual(done["log"], "{'d': '1', 'm': 'p', '--AZUREML_RUN_ID': 'r1'}\n{} default\n")

    def test_secrets_are_readable_and_masked(self) -> None:
        host = self.serve_secrets({"scope": {"key": "s3cret-value"}})
        done = self.notebook("""\
            value = dbutils.secrets.get("scope", "key")
            print(len(value), value, "token-1")
            print(dbutils.secrets.list("scope"), dbutils.secrets.listScopes())
            try:
                dbutils.secrets.get("nowhere", "key")
            except ValueError as err:
                print(err)
            raise ValueError(value)
            """, host=host, redact=["token-1"])
        self.assertEqual(done["log"].splitlines()[:3], [
            "12 [REDACTED] [REDACTED]", "[SecretMetadata(key='key')] [SecretScope(name='scope')]",
            "Scope nowhere does not exist!",
        ])
        self.assertEqual(done["error"], "ValueError: [REDACTED]")
        self.assertNotIn("s3cret-value", done["log"] + done["error_trace"])

    def test_task_values_come_and_go(self) -> None:
        done = self.notebook("""\
            dbutils.jobs.taskValues.set("k", {"n": 1})
            values = dbutils.jobs.taskValues
            print(values.get("before", "a"), values.get("before", "b", default=5))
            """, task_values={"before": {"a": [1]}})
        self.assertEqual((done["task_values"], done["log"]), ({"k": {"n": 1}}, "[1] 5\n"))

    def test_the_context_names_the_run(self) -> None:
        done = self.notebook("""\
            context = dbutils.notebook.entry_point.getDbutils().notebook().getContext()
            print(context.notebookPath().get(), context.apiUrl().get(), context.tags().apply("jobId"))
            print(context.apiToken().get())
            """, host={"url": "http://127.0.0.1:1", "token": "tok-abc"}, context={"job_id": 7})
        self.assertEqual(done["log"], "/Shared/main http://127.0.0.1:1 7\n[REDACTED]\n")

    def test_touching_spark_says_what_is_missing_and_not_touching_it_costs_nothing(self) -> None:
        done = self.notebook("print('pyspark' in __import__('sys').modules)\nspark.range(1)\n")
        self.assertEqual(done["log"].splitlines()[0], "False")
        self.assertEqual(done["error"], "LocalExecutorError: Spark is not available: this task was started without it")


class Scripts(RunnerTest):
    """Python files and wheels."""

    def test_a_script_gets_its_arguments_and_its_folder(self) -> None:
        self.write("code/paths.py", "NAME = 'mine'")
        done = self.script("""\
            import os, sys
            import paths
            if __name__ == "__main__":
                print(sys.argv[1:], paths.NAME, os.path.basename(os.getcwd()), os.path.basename(__file__))
            """, parameters=["x", "y z"])
        self.assertEqual((done["status"], done["log"]), ("SUCCESS", "['x', 'y z'] mine scratch main.py\n"))

    def test_exit_status_decides(self) -> None:
        self.assertEqual(self.script("raise SystemExit(0)")["status"], "SUCCESS")
        self.assertEqual(self.script("raise SystemExit")["status"], "SUCCESS")
        done = self.script("raise SystemExit(3)")
        self.assertEqual((done["status"], done["error"]), ("FAILED", "SystemExit: 3"))
        self.assertEqual(self.script("raise SystemExit('no data')")["error"], "SystemExit: no data")

    def test_a_syntax_error_is_a_failure_of_the_task(self) -> None:
        done = self.script("print('")
        self.assertEqual((done["status"], done["error"][:12]), ("FAILED", "SyntaxError:"))

    def test_a_module_of_the_runtime_offers_dbutils_without_any_package(self) -> None:
        done = self.script("""\
            from databricks.sdk.runtime import *
            from pyspark.dbutils import DBUtils
            DBUtils(spark).fs.put("dbfs:/tmp/a", "text")
            print(dbutils.fs.head("/tmp/a"), open("/dbfs/tmp/a").read())
            """)
        self.assertEqual(done["log"], "Wrote 4 bytes.\ntext text\n")

    def test_a_wheel_runs_by_entry_point_or_by_function(self) -> None:
        self.write("libs/tool.py", "import sys\ndef main(): print(sys.argv)\ndef bad(): return 4\n")
        self.write("libs/tool-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n")
        self.write("libs/tool-1.0.dist-info/entry_points.txt", "[console_scripts]\nrun = tool:main\n")
        libs = [os.path.join(self.base, "libs")]
        for entry in ("run", "main"):
            wheel = {"package": "tool", "entry_point": entry, "named_parameters": {"k": "v"}}
            done = self.run_task(kind="python_wheel", wheel=wheel, parameters=["p"], python_path=libs)
            self.assertEqual(done["log"], "['tool', 'p', '--k=v']\n")
        done = self.run_task(kind="python_wheel", wheel={"package": "tool", "entry_point": "none"}, python_path=libs)
        self.assertRegex(done["error"], "^LocalExecutorError: entry point 'none' of package 'tool' was not found: ")


if __name__ == "__main__":
    unittest.main()
