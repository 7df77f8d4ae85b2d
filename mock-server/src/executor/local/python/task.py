"""What a task is told, and what it answers."""

from __future__ import annotations

import json
import os
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any, Optional

from azml_task.errors import JavaError
from azml_task.output import Redactor
from azml_task.paths import Paths


@dataclass
class Task:
    """One task: its specification, the places it sees, what it has produced so far."""

    spec: dict[str, Any]
    paths: Paths
    redactor: Redactor
    task_values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, spec_file: str) -> "Task":
        """Reads a specification file."""
        with open(spec_file, encoding="utf-8") as file:
            spec = json.load(file)
        paths = Paths(spec.get("roots") or {}, spec.get("blobs") or [], bool(spec.get("mounted")))
        return cls(spec, paths, Redactor(spec.get("redact") or []))

    @property
    def context(self) -> dict[str, Any]:
        """Ids of the job, the run, the cluster and the user."""
        return self.spec.get("context") or {}

    @property
    def host(self) -> dict[str, Any]:
        """Address, token and certificate authority of the workspace."""
        return self.spec.get("host") or {}

    @property
    def notebook_path(self) -> str:
        """Workspace path of the notebook, the base of relative notebook paths."""
        return self.spec.get("path") or self.context.get("notebook_path") or "/"

    def succeed(self, exit_value: Optional[str] = None) -> None:
        """Reports success."""
        value = None if exit_value is None else self.redactor.clean(exit_value)
        self._report("SUCCESS", exit_value=value)

    def fail(self, err: BaseException) -> None:
        """Reports failure, and prints the trace into the log."""
        if isinstance(err, JavaError):
            message, trace = str(err), err.trace
        else:
            trace = "".join(trace_of(err).format())
            message = traceback.format_exception_only(type(err), err)[-1].strip()
            # Notebooks name an error without its module.
            message = message.removeprefix(f"{type(err).__module__}.")
            print(trace, end="", file=sys.stderr, flush=True)
        clean = self.redactor.clean
        self._report("FAILED", error=clean(message), error_trace=clean(trace))

    def _report(self, status: str, **fields: Optional[str]) -> None:
        result: dict[str, Any] = {"exit_value": None, "error": None, "error_trace": None}
        result.update(fields, status=status, task_values=self.task_values)
        target = self.spec["result"]
        partial = f"{target}.partial"
        with self.paths.real_open(partial, "w", encoding="utf-8") as file:
            json.dump(result, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)


def trace_of(err: BaseException) -> traceback.TracebackException:
    """The trace of `err` without the frames of the executor itself."""
    trace = traceback.TracebackException(type(err), err, err.__traceback__)
    own = os.path.dirname(os.path.abspath(__file__))
    link: Optional[traceback.TracebackException] = trace
    while link is not None:
        kept = [it for it in link.stack if os.path.dirname(os.path.abspath(it.filename)) != own]
        link.stack = traceback.StackSummary.from_list(
            [it for it in kept if not it.filename.startswith(("<frozen runpy", "<frozen importlib"))]
        )
        link = link.__cause__ or link.__context__
    return trace
