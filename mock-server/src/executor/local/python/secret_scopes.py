"""`dbutils.secrets`: the workspace's own service, asked with the token of the task."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from azml_task.errors import LocalExecutorError
from azml_task.task import Task

_TIMEOUT = 60


class SecretMetadata(NamedTuple):
    """A secret without its value."""

    key: str


class SecretScope(NamedTuple):
    """A scope of secrets."""

    name: str

    def getName(self) -> str:  # noqa: N802
        """The name of the scope."""
        return self.name


class Secrets:
    """Secrets of the workspace. What is read here is masked in the output."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def get(self, scope: str, key: str) -> str:
        """One secret as text."""
        return self.getBytes(scope, key).decode("utf-8")

    def getBytes(self, scope: str, key: str) -> bytes:  # noqa: N802
        """One secret as bytes."""
        value = base64.b64decode(self._ask("get", scope=scope, key=key)["value"])
        self._task.redactor.add(value.decode("utf-8", errors="ignore"))
        return value

    def list(self, scope: str) -> list[SecretMetadata]:
        """The keys of a scope."""
        return [SecretMetadata(it["key"]) for it in self._ask("list", scope=scope).get("secrets", [])]

    def listScopes(self) -> list[SecretScope]:  # noqa: N802
        """The scopes."""
        return [SecretScope(it["name"]) for it in self._ask("scopes/list").get("scopes", [])]

    def _ask(self, what: str, **parameters: str) -> dict[str, Any]:
        host = self._task.host
        if not host.get("url"):
            raise LocalExecutorError("dbutils.secrets needs a mock that listens at a port")
        query = urllib.parse.urlencode(parameters)
        request = urllib.request.Request(
            f"{host['url']}/api/2.0/secrets/{what}?{query}",
            headers={"Authorization": f"Bearer {host['token']}"},
        )
        context = ssl.create_default_context(cafile=host.get("ca_file")) if host["url"].startswith("https") else None
        # No proxy that the code has set for its own calls.
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT) as response:
                return json.load(response)
        except urllib.error.HTTPError as err:
            raise ValueError(_message(err)) from None


def _message(err: urllib.error.HTTPError) -> str:
    """The service's own words."""
    try:
        return str(json.load(err)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the secrets service answered {err.code}"
