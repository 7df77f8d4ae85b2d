"""Runs the commands of one context: `python -u -B commands.py SPEC.json`.

Commands come as JSON lines on standard input and are answered one by one on
standard output; answers begin with a record separator. What commands print is
part of their results.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import signal
import sys
import tempfile
import textwrap
import traceback
from typing import IO, Any, Optional

_LIMIT = 5 * 1024 * 1024
_ROWS = 1000


def main(arguments: list[str]) -> int:
    """Serves the context that the specification file describes."""
    from runner import hide_folder, load_package

    if len(arguments) != 1:
        print("usage: commands.py SPEC.json", file=sys.stderr)
        return 2
    load_package()
    hide_folder()
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w")
    # Code that reads finds nothing, and what it prints between commands goes to the log.
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    os.environ.setdefault("MPLBACKEND", "Agg")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    context = _context(arguments[0])
    _answer(answers, {"ready": os.getpid()})
    for line in requests:
        _answer(answers, {"ended": context.run(json.loads(line))})
    return 0


def _answer(answers: IO[str], value: dict[str, Any]) -> None:
    answers.write(f"\x1e{json.dumps(value)}\n")
    answers.flush()


def _context(spec_file: str) -> Any:
    from azml_task import tasks
    from azml_task.cells import one
    from azml_task.errors import LocalExecutorError, NotebookExit
    from azml_task.notebook import Notebook
    from azml_task.task import Task, trace_of

    class Context(Notebook):
        """The variables of a context, and what its running command has shown."""

        def __init__(self, task: Task) -> None:
            names = tasks.prepare(task)
            names["display"] = self._show
            module = tasks.main_module(names, "<command>")
            sys.argv = [""]
            super().__init__(task, vars(module), names["dbutils"])
            self._table: Optional[dict[str, Any]] = None

        def run(self, request: dict[str, Any]) -> Optional[dict[str, Any]]:
            """The results of a command, `None` if it was stopped."""
            gateway = request.get("gateway")
            spark = self._task.spec.get("spark")
            if gateway and spark is not None:
                spark.update(gateway_port=gateway["port"], gateway_secret=gateway["secret"])
            self._table = None
            with _Captured() as printed:
                try:
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    results = self._run(request)
                except KeyboardInterrupt:
                    return None
                finally:
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
            return results or self._shown(printed.text())

        def _run(self, request: dict[str, Any]) -> Optional[dict[str, Any]]:
            """Runs a command. Its results are known if it fails, or exits with a value."""
            try:
                text = textwrap.dedent(request["text"])
                self._run_cell(one(text, request["language"]), self._task.notebook_path)
            except NotebookExit as end:
                return {"resultType": "text", "data": self._task.redactor.clean(end.value)}
            except (Exception, SystemExit) as err:
                return self._error(err)
            return None

        def _error(self, err: BaseException) -> dict[str, Any]:
            clean = self._task.redactor.clean
            message = traceback.format_exception_only(type(err), err)[-1].strip()
            name, separator, rest = message.partition(": ")
            summary = f'<span class="ansi-red-fg">{html.escape(name)}</span>{separator}{html.escape(rest)}'
            trace = "".join(trace_of(err).format())
            return {"resultType": "error", "summary": clean(summary), "cause": clean(trace)}

        def _shown(self, printed: str) -> dict[str, Any]:
            if self._table is not None:
                return self._table
            images = _images()
            if images[1:]:
                return {"resultType": "images", "fileNames": images}
            if images:
                return {"resultType": "image", "fileName": images[0]}
            text = self._task.redactor.clean(printed)
            results: dict[str, Any] = {"resultType": "text", "data": text[:_LIMIT].removesuffix("\n")}
            if len(text) > _LIMIT:
                results["truncated"] = True
            return results

        def _echo(self, value: Any) -> None:
            print(repr(value))

        def _show(self, value: Any = None, *_: Any, **__: Any) -> None:
            table = _table(value)
            if table is None:
                super()._show(value)
            else:
                self._table = json.loads(self._task.redactor.clean(json.dumps(table)))

        def _magic(self, kind: str, text: str) -> None:
            if kind == "run":
                raise LocalExecutorError("%run is not available in a command")
            super()._magic(kind, text)

    return Context(Task.load(spec_file))


class _Captured:
    """Collects what this process and its children print."""

    def __enter__(self) -> "_Captured":
        self._file = tempfile.TemporaryFile()
        self._before = os.dup(1), os.dup(2)
        self._text = ""
        self._flush()
        os.dup2(self._file.fileno(), 1)
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: Any) -> None:
        self._flush()
        for descriptor, before in zip((1, 2), self._before):
            os.dup2(before, descriptor)
            os.close(before)
        self._file.seek(0)
        self._text = self._file.read(_LIMIT + 1024).decode("utf-8", errors="replace")
        self._file.close()

    def text(self) -> str:
        """What was printed."""
        return self._text

    @staticmethod
    def _flush() -> None:
        sys.stdout.flush()
        sys.stderr.flush()


def _table(value: Any) -> Optional[dict[str, Any]]:
    """The first rows of a table of Spark or pandas, `None` for anything else."""
    module, kind = type(value).__module__, type(value).__name__
    if module.startswith("pyspark.") and hasattr(value, "isStreaming") and not value.isStreaming:
        rows = [list(row) for row in value.limit(_ROWS + 1).collect()]
        schema = [(field.name, field.dataType.json()) for field in value.schema.fields]
    elif module.startswith("pandas.") and kind == "DataFrame":
        rows = json.loads(value.head(_ROWS + 1).to_json(orient="values", date_format="iso"))
        types = {"i": "long", "u": "long", "f": "double", "b": "boolean", "M": "timestamp"}
        schema = [
            (str(name), json.dumps(types.get(dtype.kind, "string"))) for name, dtype in value.dtypes.items()
        ]
    else:
        return None
    return {
        "resultType": "table",
        "data": [[_plain(it) for it in row] for row in rows[:_ROWS]],
        "schema": [{"name": name, "type": kind, "metadata": "{}"} for name, kind in schema],
        "truncated": len(rows) > _ROWS,
        "isJsonSchema": True,
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(it) for it in value]
    return str(value)


def _images() -> list[str]:
    """The figures that Matplotlib holds, which are closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    found = []
    for number in pyplot.get_fignums() if pyplot else []:
        buffer = io.BytesIO()
        pyplot.figure(number).savefig(buffer, format="png")
        found.append("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))
    if found:
        pyplot.close("all")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
