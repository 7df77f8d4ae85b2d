"""`dbutils`, as far as a local cluster can offer it."""

from __future__ import annotations

import json
import os
import posixpath
import subprocess
import sys
import tempfile
from typing import Any, Optional

from azml_task.errors import InputWidgetNotDefined, LocalExecutorError, NotebookExit
from azml_task.filesystem import FileSystem
from azml_task.secret_scopes import Secrets
from azml_task.task import Task

_MAX_TASK_VALUE = 48 * 1024


class Widgets:
    """Parameters of a notebook. What the job passes wins over a default."""

    def __init__(self, passed: dict[str, Any]) -> None:
        self._passed = {name: str(value) for name, value in passed.items()}
        self._declared: dict[str, str] = {}
        self._removed: set[str] = set()

    def text(self, name: str, defaultValue: str = "", label: str = "") -> None:  # noqa: N803
        """Declares a parameter of any text."""
        self._declared[name] = str(defaultValue)
        self._removed.discard(name)

    def dropdown(self, name: str, defaultValue: str, choices: Any, label: str = "") -> None:  # noqa: N803
        """Declares a parameter of a fixed set of values."""
        if defaultValue not in choices:
            raise ValueError(f"default value '{defaultValue}' of widget '{name}' is not in its choices")
        self.text(name, defaultValue, label)

    multiselect = dropdown

    def combobox(self, name: str, defaultValue: str, choices: Any = (), label: str = "") -> None:  # noqa: N803
        """Declares a parameter with suggested values."""
        self.text(name, defaultValue, label)

    def get(self, name: str) -> str:
        """The value of a parameter."""
        values = self.getAll()
        if name not in values:
            raise InputWidgetNotDefined(f"No input widget named {name} is defined")
        return values[name]

    def getArgument(self, name: str, defaultValue: Optional[str] = None) -> str:  # noqa: N802, N803
        """The value of a parameter, or a default."""
        value = self.getAll().get(name, defaultValue)
        return self.get(name) if value is None else value

    def getAll(self) -> dict[str, str]:  # noqa: N802
        """All parameters by name."""
        values = {**self._declared, **self._passed}
        return {name: value for name, value in values.items() if name not in self._removed}

    def remove(self, name: str) -> None:
        """Removes a parameter."""
        self.get(name)
        self._removed.add(name)

    def removeAll(self) -> None:  # noqa: N802
        """Removes all parameters."""
        self._removed.update(self.getAll())

    def bind(self, values: dict[str, str]) -> None:
        """Sets parameters as `%run` with arguments does."""
        self._passed.update(values)
        self._removed.difference_update(values)


class TaskValues:
    """Small values that one task of a job passes to the next ones."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def set(self, key: str, value: Any) -> None:
        """Publishes a value, at most 48 KiB as JSON."""
        if len(json.dumps(value).encode("utf-8")) > _MAX_TASK_VALUE:
            raise ValueError(f"task value '{key}' is larger than 48 KiB")
        self._task.task_values[key] = value

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:  # noqa: N803
        """A value that an earlier task has published, or `default`."""
        values = (self._task.spec.get("task_values") or {}).get(taskKey, {})
        if key in values:
            return values[key]
        if default is None:
            raise ValueError(f"Task value with key '{key}' was not found for task '{taskKey}'")
        return default


class Jobs:
    """`dbutils.jobs`."""

    def __init__(self, task: Task) -> None:
        self.taskValues = TaskValues(task)  # noqa: N815


class Notebook:
    """`dbutils.notebook`."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def entry_point(self) -> Any:
        """The chain that code walks to reach the context of its run."""
        from azml_task.context import EntryPoint

        return EntryPoint(self._task)

    def exit(self, value: Any = "") -> None:
        """Ends the notebook with a value."""
        raise NotebookExit(str(value))

    def run(self, path: str, timeout_seconds: int = 0, arguments: Optional[dict[str, Any]] = None) -> Optional[str]:
        """Runs another notebook in its own process and returns its exit value."""
        full = posixpath.join(posixpath.dirname(self._task.notebook_path), path)
        source = self._task.paths.of_notebook(full)
        if source is None:
            raise FileNotFoundError(f"Unable to run {path}: notebook not found: {posixpath.normpath(full)}")
        from azml_task import spark

        folder = tempfile.mkdtemp(prefix="notebook-", dir=os.getcwd())
        result_file = os.path.join(folder, "result.json")
        spec = dict(
            self._task.spec, kind="notebook", source=source, path=posixpath.normpath(full),
            format=None, language=None, widgets=arguments or {}, result=result_file,
            redact=self._task.redactor.values,
            spark=spark.shared_settings(self._task.spec.get("spark")),
        )
        # The specification holds a token, so only the owner may read it.
        spec_file = os.path.join(folder, "spec.json")
        with os.fdopen(os.open(spec_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            json.dump(spec, stream)
        runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")
        command = [sys.executable, "-u", "-B", runner, spec_file]
        try:
            subprocess.run(command, cwd=folder, timeout=timeout_seconds or None, check=True)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"Notebook {path} did not end within {timeout_seconds} s") from None
        with self._task.paths.real_open(result_file, encoding="utf-8") as stream:
            result = json.load(stream)
        if result["status"] != "SUCCESS":
            raise LocalExecutorError(f"Notebook {path} failed: {result['error']}")
        return result["exit_value"]


class Library:
    """`dbutils.library`."""

    def restartPython(self) -> None:  # noqa: N802
        """Forgets what import has cached; the process and its variables stay."""
        import importlib

        importlib.invalidate_caches()


class DBUtils:
    """The utilities of one task. The Spark session that callers pass is not needed."""

    _shared: dict[str, Any] = {}

    def __init__(self, *_: Any) -> None:
        self.__dict__ = DBUtils._shared

    @classmethod
    def of(cls, task: Task) -> "DBUtils":
        """Makes the utilities of `task` those of every instance."""
        cls._shared.update(
            fs=FileSystem(task.paths), widgets=Widgets(task.spec.get("widgets") or {}),
            secrets=Secrets(task), notebook=Notebook(task), jobs=Jobs(task), library=Library(),
        )
        return cls()
