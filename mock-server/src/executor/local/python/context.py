"""The context of a run: `dbutils.notebook.entry_point.getDbutils().notebook().getContext()`."""

from __future__ import annotations

import json
from typing import Any, Optional

from azml_task.task import Task


class Maybe:
    """A value that may be missing, as Scala passes it."""

    def __init__(self, value: Optional[Any]) -> None:
        self._value = value

    def get(self) -> Any:
        """The value. Fails when there is none."""
        if self._value is None:
            raise LookupError("None.get")
        return self._value

    def getOrElse(self, default: Any) -> Any:  # noqa: N802
        """The value or a default."""
        return default if self._value is None else self._value

    def isDefined(self) -> bool:  # noqa: N802
        """Whether there is a value."""
        return self._value is not None

    def toString(self) -> str:  # noqa: N802
        """The value as Scala prints it."""
        return "None" if self._value is None else f"Some({self._value})"

    __str__ = __repr__ = toString


class Tags:
    """The tags of a run."""

    def __init__(self, tags: dict[str, str]) -> None:
        self._tags = tags

    def apply(self, name: str) -> str:
        """One tag. Fails when there is none."""
        return self._tags[name]

    def get(self, name: str) -> Maybe:
        """One tag, if there is one."""
        return Maybe(self._tags.get(name))


class Context:
    """Who runs what, where."""

    def __init__(self, task: Task) -> None:
        self._task = task
        given = task.context
        names = {
            "jobId": "job_id", "runId": "run_id", "taskRunId": "task_run_id", "taskKey": "task_key",
            "clusterId": "cluster_id", "user": "user", "orgId": "org_id",
        }
        self._tags = {tag: str(given[key]) for tag, key in names.items() if given.get(key) is not None}

    def apiUrl(self) -> Maybe:  # noqa: N802
        """Address of the workspace."""
        return Maybe(self._task.host.get("url"))

    def apiToken(self) -> Maybe:  # noqa: N802
        """Token of the run, masked when printed."""
        token = self._task.host.get("token")
        if token:
            self._task.redactor.add(token)
        return Maybe(token)

    def notebookPath(self) -> Maybe:  # noqa: N802
        """Workspace path of the notebook."""
        return Maybe(self._task.notebook_path)

    def browserHostName(self) -> Maybe:  # noqa: N802
        """Host of the workspace without the scheme."""
        url = self._task.host.get("url")
        return Maybe(url and url.partition("://")[2])

    def clusterId(self) -> Maybe:  # noqa: N802
        """The cluster."""
        return Maybe(self._tags.get("clusterId"))

    def userName(self) -> Maybe:  # noqa: N802
        """Who runs the task."""
        return Maybe(self._tags.get("user"))

    def jobId(self) -> Maybe:  # noqa: N802
        """The job."""
        return Maybe(self._tags.get("jobId"))

    def currentRunId(self) -> Maybe:  # noqa: N802
        """The run of the task."""
        return Maybe(self._tags.get("taskRunId"))

    def workspaceId(self) -> Maybe:  # noqa: N802
        """The workspace."""
        return Maybe(self._tags.get("orgId"))

    def tags(self) -> Tags:
        """All tags."""
        return Tags(self._tags)

    def toJson(self) -> str:  # noqa: N802
        """The context as a JSON document, without the token."""
        extra = {"notebook_path": self._task.notebook_path, "api_url": self._task.host.get("url")}
        run = self._tags.get("runId")
        return json.dumps(
            {"currentRunId": run and {"id": int(run)}, "tags": self._tags, "extraContext": extra}
        )

    safeToJson = toJson  # noqa: N815


class EntryPoint:
    """The links from `dbutils` to the context."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def getDbutils(self) -> "EntryPoint":  # noqa: N802
        """The next link."""
        return self

    def notebook(self) -> "EntryPoint":
        """The next link."""
        return self

    def getContext(self) -> Context:  # noqa: N802
        """The context."""
        return Context(self._task)
