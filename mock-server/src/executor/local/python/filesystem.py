"""`dbutils.fs`."""

from __future__ import annotations

import os
import shutil
from typing import Any, NamedTuple

from azml_task.errors import LocalExecutorError
from azml_task.paths import Paths


class FileInfo(NamedTuple):
    """One entry of a folder. `modificationTime` is in milliseconds."""

    path: str
    name: str
    size: int
    modificationTime: int  # noqa: N815 (the name in Databricks)

    def isDir(self) -> bool:  # noqa: N802
        """Whether the entry is a folder."""
        return self.name.endswith("/")

    def isFile(self) -> bool:  # noqa: N802
        """Whether the entry is a file."""
        return not self.isDir()


class MountInfo(NamedTuple):
    """A folder of DBFS that has a place of its own."""

    mountPoint: str  # noqa: N815
    source: str
    encryptionType: str  # noqa: N815


class FileSystem:
    """Files by URI: `dbfs:/`, bare paths below it, volumes, workspace files, `file:/`, `wasbs://`."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def ls(self, dir: str) -> list[FileInfo]:
        """Lists a folder by name, or a single file."""
        path = self._existing(dir)
        if os.path.isfile(path):
            return [_info(path, _display(dir))]
        base = _display(dir).rstrip("/")
        return [_info(os.path.join(path, name), f"{base}/{name}") for name in sorted(os.listdir(path))]

    def head(self, file: str, maxBytes: int = 65536) -> str:  # noqa: N803
        """The beginning of a file as text."""
        path = self._existing(file)
        if os.path.isdir(path):
            raise IsADirectoryError(f"Cannot head a directory: {file}")
        with open(path, "rb") as stream:
            content = stream.read(maxBytes)
            if stream.read(1):
                print(f"[Truncated to first {maxBytes} bytes]")
        return content.decode("utf-8", errors="replace")

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Writes text to a file, in UTF-8."""
        path = self._paths.of_uri(file)
        if os.path.exists(path) and not overwrite:
            raise FileExistsError(f"The path already exists: {file} (overwrite=True replaces it)")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = contents.encode("utf-8")
        with open(path, "wb") as stream:
            stream.write(data)
        print(f"Wrote {len(data)} bytes.")
        return True

    def cp(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Copies a file, or with `recurse` a folder."""
        source, target = self._existing(from_), self._target(from_, to)
        if os.path.isdir(source):
            if not recurse:
                raise IsADirectoryError(f"{from_} is a directory: recurse must be true")
            shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
        return True

    def mv(self, from_: str, to: str, recurse: bool = False) -> bool:
        """Moves a file, or with `recurse` a folder."""
        return self.cp(from_, to, recurse) and self.rm(from_, recurse)

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Removes a file or an empty folder, or with `recurse` a full one.

        False when nothing is there.
        """
        path = self._paths.of_uri(dir)
        if os.path.isdir(path) and not os.path.islink(path):
            if os.listdir(path) and not recurse:
                raise OSError(f"{dir} is a non-empty directory: recurse must be true")
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
        else:
            return False
        return True

    def mkdirs(self, dir: str) -> bool:
        """Makes a folder and those above it."""
        os.makedirs(self._paths.of_uri(dir), exist_ok=True)
        return True

    def mount(self, *_: Any, **__: Any) -> bool:
        """Refused: there is nothing to mount on this machine."""
        raise LocalExecutorError(
            "dbutils.fs.mount is not available on a local cluster; use the wasbs:// or dbfs:/ path"
        )

    updateMount = unmount = mount  # noqa: N815

    def mounts(self) -> list[MountInfo]:
        """The mounts that every workspace has."""
        inner = ("databricks-datasets", "databricks-results", "databricks/mlflow-registry", "databricks/mlflow-tracking")
        return [*(MountInfo(f"/{name}", name, "") for name in inner), MountInfo("/", "DatabricksRoot", "")]

    def refreshMounts(self) -> bool:  # noqa: N802
        """Does nothing."""
        return True

    def _existing(self, uri: str) -> str:
        path = self._paths.of_uri(uri)
        if not os.path.exists(path):
            raise FileNotFoundError(f"No such file or directory: {uri}")
        return path

    def _target(self, source: str, target: str) -> str:
        path = self._paths.of_uri(target)
        into_folder = os.path.isdir(path) or str(target).endswith("/")
        if into_folder and not os.path.isdir(self._paths.of_uri(source)):
            return os.path.join(path, os.path.basename(str(source).rstrip("/")))
        return path


def _display(uri: str) -> str:
    """The full form of a path: a bare one lies on DBFS."""
    if ":" in uri.partition("/")[0]:
        return uri
    if uri.startswith("/dbfs/"):
        uri = uri[len("/dbfs") :]
    return "dbfs:/" + uri.lstrip("/")


def _info(path: str, uri: str) -> FileInfo:
    status = os.stat(path)
    folder = os.path.isdir(path)
    name = os.path.basename(path) + ("/" if folder else "")
    size = 0 if folder else status.st_size
    return FileInfo(uri + ("/" if folder else ""), name, size, int(status.st_mtime * 1000))
