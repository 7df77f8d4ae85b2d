"""What a task prints: secrets masked, tables shown as text."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any, Iterable, Optional, TextIO

MASK = "[REDACTED]"


class Redactor:
    """Masks secret values in text."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values: list[str] = []
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Masks `value` from now on. Blank text is left alone."""
        if value.strip() and value not in self.values:
            # The longest first: one secret may be part of another.
            self.values = sorted([*self.values, value], key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text with every secret masked."""
        for value in self.values:
            text = text.replace(value, MASK)
        return text


class RedactedStream(io.TextIOBase):
    """A text stream that masks secrets before it writes."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    def write(self, text: str) -> int:
        self._stream.write(self._redactor.clean(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def buffer(self) -> Any:
        return self._stream.buffer


def install(redactor: Redactor) -> None:
    """Masks secrets in everything that Python code prints from now on."""
    sys.stdout = RedactedStream(sys.stdout, redactor)
    sys.stderr = RedactedStream(sys.stderr, redactor)


def run_command(command: list[str], env: Optional[dict[str, str]] = None) -> tuple[int, list[str]]:
    """Runs a program whose output joins ours, line by line.

    Returns its exit status and the last lines it printed.
    """
    tail: list[str] = []
    child = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )
    assert child.stdout is not None
    for line in child.stdout:
        print(line, end="", flush=True)
        tail = [*tail[-199:], line.rstrip("\n")]
    return child.wait(), tail


def display(value: Any = None, *_: Any, **__: Any) -> None:
    """Shows a value as text: a Spark table by its first rows, the rest as it prints."""
    if value is None:
        return
    module = type(value).__module__
    if module.startswith("pyspark.") and hasattr(value, "isStreaming"):
        if value.isStreaming:
            print(f"[a streaming table: {value.schema.simpleString()}]")
        else:
            value.show(20, truncate=60)
    elif isinstance(value, (list, tuple)) and value and all(hasattr(it, "_fields") for it in value):
        for row in value:
            print(row)
    else:
        print(value if isinstance(value, str) or module.startswith("pandas.") else repr(value))


def display_html(html: str) -> None:
    """Prints HTML as it is: a log has nothing to render it with."""
    print(html)
