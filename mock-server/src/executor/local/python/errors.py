"""Errors that user code may see."""

from __future__ import annotations


class NotebookExit(BaseException):
    """Ends a notebook. Not an `Exception`, so that user code cannot swallow it."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class LocalExecutorError(RuntimeError):
    """Says that this cluster cannot do what the code asks for, and what helps."""


class InputWidgetNotDefined(Exception):
    """Says that no widget and no parameter of the asked name exists."""


class JavaError(Exception):
    """What ended a JVM. Its trace is in the log already."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


for _error in (NotebookExit, LocalExecutorError, InputWidgetNotDefined):
    # A trace shows the bare name, as it would for an error of the service.
    _error.__module__ = "builtins"
