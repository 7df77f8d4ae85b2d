"""Runs the cells of a notebook."""

from __future__ import annotations

import ast
import linecache
import os
import posixpath
import re
import shlex
import sys
from typing import Any, Callable, Optional

from azml_task import cells as notebook_cells
from azml_task import sql
from azml_task.cells import Cell
from azml_task.dbutils import DBUtils
from azml_task.errors import LocalExecutorError
from azml_task.output import display, run_command
from azml_task.task import Task

_LINE_MAGIC = re.compile(r"^(\s*)([%!])(\S.*)$", re.MULTILINE)


class Notebook:
    """A notebook that runs: its variables, and the counter of its cells."""

    def __init__(self, task: Task, namespace: dict[str, Any], dbutils: DBUtils) -> None:
        self._task = task
        self._namespace = namespace
        self._dbutils = dbutils
        self._compiled = 0
        self._packages: Optional[str] = None
        self._namespace["__azml_line_magic__"] = self._line_magic

    def run_file(self, file: str, path: str, language: Optional[str], form: Optional[str]) -> None:
        """Runs every cell of the notebook in `file`, whose workspace path is `path`."""
        with self._task.paths.real_open(file, encoding="utf-8") as stream:
            content = stream.read()
        for cell in notebook_cells.read(content, language, form, os.path.basename(file)):
            self._run_cell(cell, path)

    def _run_cell(self, cell: Cell, path: str) -> None:
        text = cell.text
        if cell.kind == "python":
            self._run_python(text)
        elif cell.kind == "sql":
            self._run_sql(text)
        elif cell.kind == "run":
            self._run_notebook(text, path)
        elif cell.kind in ("md", "md-sandbox"):
            pass
        elif cell.kind in ("scala", "r"):
            raise LocalExecutorError(f"%{cell.kind} cells are not available on a local cluster")
        else:
            self._magic(cell.kind, text)

    def _run_python(self, text: str) -> None:
        self._compiled += 1
        name = f"<command-{self._compiled}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        try:
            tree = ast.parse(text, name)
        except SyntaxError:
            plain = _LINE_MAGIC.sub(_call_of_magic, text)
            if plain == text:
                raise
            tree = ast.parse(plain, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not text.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        exec(compile(tree, name, "exec"), self._namespace)
        if last is not None:
            value = eval(compile(last, name, "eval"), self._namespace)
            # Its own calls return True, which nobody wants to read.
            if value is not None and not _is_call_of(last.body, ("dbutils", "display")):
                self._echo(value)

    def _run_sql(self, text: str) -> None:
        table = sql.run(self._namespace["spark"], text, self._dbutils.widgets.getAll())
        if table is not None:
            self._namespace["_sqldf"] = table
            self._show(table)

    def _echo(self, value: Any) -> None:
        """Shows what the last expression of a cell came to."""
        self._show(value)

    def _show(self, value: Any) -> None:
        display(value)

    def _run_notebook(self, text: str, path: str) -> None:
        """`%run ./other $name="value"`: the other notebook's cells, in these variables."""
        words = shlex.split(text)
        if not words:
            raise ValueError("%run needs the path of a notebook")
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), words[0]))
        file = self._task.paths.of_notebook(full)
        if file is None:
            raise FileNotFoundError(f"Unable to %run {words[0]}: notebook not found: {full}")
        values = {}
        for word in words[1:]:
            name, equals, value = word.lstrip("$").partition("=")
            if not word.startswith("$") or not equals:
                raise ValueError(f"%run takes parameters as $name=value, not {word}")
            values[name] = value
        self._dbutils.widgets.bind(values)
        self.run_file(file, full, None, None)

    def _magic(self, kind: str, text: str) -> None:
        commands: dict[str, Callable[[str], None]] = {
            "sh": self._shell, "pip": self._pip, "fs": self._file_system, "skip": lambda _: None,
            "matplotlib": lambda _: None, "config": lambda _: None,
            "restart_python": lambda _: self._dbutils.library.restartPython(),
        }
        if kind not in commands:
            raise LocalExecutorError(f"%{kind} is not available on a local cluster")
        commands[kind](text)

    def _shell(self, text: str) -> None:
        strict = text.startswith("-e")
        script = text[2:] if strict else text
        status, _ = run_command(["/bin/bash", *(["-e"] if strict else []), "-c", self._task.paths.in_text(script)])
        if strict and status != 0:
            raise LocalExecutorError(f"the shell command failed with exit status {status}")

    def _pip(self, text: str) -> None:
        """Runs pip; what it installs lasts as long as this notebook."""
        # More lines are Python: they follow the command in the same cell.
        line, _, rest = text.partition("\n")
        words = [self._task.paths.of_file(word) for word in shlex.split(line)]
        if words[:1] == ["install"] and not {"--target", "-t", "--user", "--prefix"} & set(words):
            if self._packages is None:
                self._packages = os.path.abspath("notebook-packages")
                sys.path.insert(0, self._packages)
            words += ["--target", self._packages, "--upgrade"]
        # The settings of whoever runs the mock lead to the package index.
        env = dict(
            self._task.spec.get("pip_environment") or os.environ,
            PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore",
        )
        status, tail = run_command([sys.executable, "-m", "pip", *words], env)
        if status != 0:
            raise LocalExecutorError(f"pip failed: {tail[-1] if tail else f'exit status {status}'}")
        self._dbutils.library.restartPython()
        if rest.strip():
            self._run_python("\n" + rest)

    def _file_system(self, text: str) -> None:
        words = shlex.split(text)
        if not words or not hasattr(self._dbutils.fs, words[0]):
            raise ValueError(f"%fs has no command '{words[0] if words else ''}'")
        command = words[0]
        flags = {"-r", "--recurse", "--recurse=true", "--overwrite=true"}
        arguments: list[Any] = [True if word in flags else word for word in words[1:]]
        self._show(getattr(self._dbutils.fs, command)(*arguments))

    def _line_magic(self, sign: str, text: str) -> None:
        if sign == "!":
            self._shell(text)
        else:
            kind, _, rest = text.partition(" ")
            self._magic(kind.lstrip("%"), rest)


def _call_of_magic(found: re.Match[str]) -> str:
    return f"{found[1]}__azml_line_magic__({found[2]!r}, {found[3]!r})"


def _is_call_of(node: ast.AST, names: tuple[str, ...]) -> bool:
    """Whether the expression is a call that starts at one of these names.

    Listings are the exception: they are called for their value.
    """
    if not isinstance(node, ast.Call):
        return False
    target: ast.AST = node.func
    if isinstance(target, ast.Attribute) and target.attr in ("ls", "head", "get", "getAll", "list", "listScopes"):
        return False
    while isinstance(target, ast.Attribute):
        target = target.value
    return isinstance(target, ast.Name) and target.id in names
