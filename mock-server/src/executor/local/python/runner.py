"""Runs one task of the local executor: `python -u -B runner.py SPEC.json`.

The outcome goes to the file named `result` in the specification, written
atomically. The exit status is 0 whether the task succeeded or failed; another
status means that this program itself broke.

The modules beside this file are loaded as the package `azml_task` and this
folder leaves `sys.path`, so that they never shadow a module of the user's code.
"""

from __future__ import annotations

import os
import sys
import types

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def load_package() -> None:
    """Makes the files beside this one importable as `azml_task`."""
    package = types.ModuleType("azml_task")
    package.__path__ = [_FOLDER]
    sys.modules["azml_task"] = package


def hide_folder() -> None:
    """Keeps the files beside this one from being found by their bare names."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != _FOLDER]


def main(arguments: list[str]) -> int:
    """Runs the task that the specification file describes."""
    if len(arguments) != 1:
        print("usage: runner.py SPEC.json", file=sys.stderr)
        return 2
    load_package()
    hide_folder()
    from azml_task import tasks
    from azml_task.task import Task

    task = Task.load(arguments[0])
    tasks.run(task)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
