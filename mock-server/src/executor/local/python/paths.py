"""Where Databricks paths live on this machine.

`Paths.of_uri` resolves what `dbutils.fs` takes. `Paths.of_file` resolves what
plain Python takes (`/dbfs/...`, `/Volumes/...`, `/Workspace/...`); unless these
folders are really mounted, `install` makes `open`, `os`, `pathlib` and `import`
follow it. Code that opens files in C is beyond its reach.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import io
import os
import posixpath
import re
import sys
from typing import Any, Callable, Optional
from urllib.parse import unquote, urlsplit

_PREFIXES = {"/dbfs": "dbfs", "/Volumes": "volumes", "/Workspace": "workspace"}
_BLOB_SCHEMES = ("wasbs", "wasb", "abfss", "abfs")
_PREFIX_IN_TEXT = re.compile(r"(?<![\w./:@-])/(?:dbfs|Volumes|Workspace)(?=[/\s'\";)]|$)", re.MULTILINE)

# Functions of `os` that take a path first; of those in the second tuple, two.
_ONE_PATH = (
    "access", "chdir", "chmod", "chown", "lchown", "listdir", "lstat", "mkdir", "open", "pathconf",
    "readlink", "remove", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime",
    "getxattr", "listxattr", "mkfifo",
)
_TWO_PATHS = ("link", "rename", "replace", "symlink")


class Paths:
    """The folders behind the paths of one Databricks workspace."""

    def __init__(self, roots: dict[str, str], blobs: list[dict[str, str]], mounted: bool) -> None:
        self.roots = roots
        self.blobs = blobs
        self.mounted = mounted
        self.real_open = io.open

    def of_uri(self, uri: str) -> str:
        """The file behind a path as `dbutils.fs` takes it.

        Raises `ValueError` for a scheme or a container that this workspace does
        not have.
        """
        scheme, colon, rest = str(uri).partition(":")
        if not colon or "/" in scheme:
            path = posixpath.normpath("/" + str(uri).lstrip("/"))
            return self._below_prefix(path) or self._join("dbfs", path)
        if scheme == "dbfs":
            path = posixpath.normpath("/" + rest.lstrip("/"))
            below = None if path.startswith("/dbfs") else self._below_prefix(path)
            return below or self._join("dbfs", path)
        if scheme == "file":
            return self.of_file("/" + rest.lstrip("/"))
        if scheme in _BLOB_SCHEMES:
            return self._of_blob(str(uri))
        raise ValueError(f"no file system for scheme '{scheme}' in {uri}")

    def of_file(self, path: str) -> str:
        """The file behind a path as `open` takes it."""
        if self.mounted or not path.startswith("/"):
            return path
        return self._below_prefix(path) or path

    def of_notebook(self, path: str) -> Optional[str]:
        """The file of the notebook at a workspace path, if there is one."""
        if path.startswith("/Workspace/"):
            path = path[len("/Workspace") :]
        base = self._join("workspace", posixpath.normpath("/" + path))
        for suffix in ("", ".py", ".ipynb", ".sql", ".scala", ".r"):
            if os.path.isfile(base + suffix):
                return base + suffix
        return None

    def in_text(self, text: str) -> str:
        """A shell script with the Databricks folders replaced by the real ones."""
        if self.mounted:
            return text
        return _PREFIX_IN_TEXT.sub(lambda it: self._below_prefix(it[0]) or it[0], text)

    def _below_prefix(self, path: str) -> Optional[str]:
        for prefix, root in _PREFIXES.items():
            if (path == prefix or path.startswith(prefix + "/")) and root in self.roots:
                return self._join(root, path[len(prefix) :])
        return None

    def _join(self, root: str, path: str) -> str:
        # Normalised from "/" first, so that ".." cannot leave the root.
        inner = posixpath.normpath("/" + path).lstrip("/")
        return os.path.join(self.roots[root], inner) if inner else self.roots[root]

    def _of_blob(self, uri: str) -> str:
        parts = urlsplit(uri)
        container, _, host = parts.netloc.partition("@")
        for blob in self.blobs:
            hosts = [f"{blob['account']}.{kind}.{blob['suffix']}" for kind in ("blob", "dfs")]
            if container == blob["container"] and host in hosts:
                inner = posixpath.normpath("/" + unquote(parts.path)).lstrip("/")
                return os.path.join(blob["path"], inner) if inner else blob["path"]
        known = ", ".join(f"{it['container']}@{it['account']}" for it in self.blobs) or "none"
        raise ValueError(f"no storage container behind {uri} (known here: {known})")

    def install(self) -> None:
        """Makes Python's own file functions resolve Databricks paths."""
        if self.mounted:
            return
        redirected_open = _Redirected(io.open, self, 1)
        builtins.open = io.open = redirected_open  # type: ignore[assignment]
        for count, names in ((1, _ONE_PATH), (2, _TWO_PATHS)):
            for name in names:
                original = getattr(os, name, None)
                if original is not None:
                    setattr(os, name, _Redirected(original, self, count))
        sys.path_hooks.insert(0, self._import_hook)
        sys.path_importer_cache.clear()

    def _import_hook(self, entry: str) -> Any:
        real = self.of_file(entry)
        if real == entry or not os.path.isdir(real):
            raise ImportError(f"{entry} is no Databricks folder", path=entry)
        loader = (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES)
        return importlib.machinery.FileFinder(real, loader)


class _Redirected:
    """A file function that resolves its paths first.

    An object instead of a function: Python below 3.11 keeps these in class
    bodies, where a function would turn into a method.
    """

    def __init__(self, original: Callable[..., Any], paths: Paths, count: int) -> None:
        self._original = original
        self._paths = paths
        self._count = count
        self.__name__ = getattr(original, "__name__", "open")
        self.__doc__ = original.__doc__
        for name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
            functions = getattr(os, name)
            if original in functions:
                functions.add(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        changed = list(args)
        names: dict[str, Any] = {}
        for index in range(min(self._count, len(args))):
            path = os.fspath(args[index]) if isinstance(args[index], os.PathLike) else args[index]
            real = self._paths.of_file(path) if isinstance(path, str) else path
            if real != path:
                changed[index] = real
                names[real] = path
        if not names:
            return self._original(*args, **kwargs)
        try:
            return self._original(*changed, **kwargs)
        except OSError as err:
            # Speak of the path that the caller knows.
            err.filename = names.get(err.filename, err.filename)
            if err.filename2 is not None:
                # Set only if it was: the text of the error changes with it.
                err.filename2 = names.get(err.filename2, err.filename2)
            raise
