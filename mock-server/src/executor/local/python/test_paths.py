"""Tests of paths: `dbutils.fs`, and plain Python on Databricks folders."""

from __future__ import annotations

import os
import unittest

import runner

runner.load_package()
from azml_task.paths import Paths  # noqa: E402
from test_runner import RunnerTest  # noqa: E402


class Resolution(unittest.TestCase):
    """Where paths lead."""

    def paths(self, mounted: bool = False) -> Paths:
        """The paths of a made-up workspace."""
        blob = {"container": "c", "account": "a", "suffix": "core.windows.net", "path": "/B"}
        return Paths({"dbfs": "/D", "workspace": "/W", "volumes": "/V"}, [blob], mounted)

    def test_uris_lead_to_their_folders(self) -> None:
        cases = {
            "dbfs:/x/y": "/D/x/y", "dbfs:///x": "/D/x", "/x": "/D/x", "/": "/D", "dbfs:/": "/D", "/dbfs/x": "/D/x",
            "dbfs:/dbfs/x": "/D/dbfs/x", "dbfs:/Volumes/a/b": "/V/a/b", "/Volumes/a": "/V/a",
            "/Workspace/Users/me": "/W/Users/me", "file:/tmp/x": "/tmp/x", "file:///dbfs/x": "/D/x",
            "dbfs:/../../etc": "/D/etc", "/Volumes/../../etc": "/D/etc", "/VolumesX": "/D/VolumesX",
            "wasbs://c@a.blob.core.windows.net/p/q": "/B/p/q", "wasbs://c@a.blob.core.windows.net/": "/B",
            "wasbs://c@a.blob.core.windows.net/../x": "/B/x", "abfss://c@a.dfs.core.windows.net/p": "/B/p",
        }
        self.assertEqual({uri: self.paths().of_uri(uri) for uri in cases}, cases)

    def test_an_unknown_container_is_refused_by_name(self) -> None:
        with self.assertRaisesRegex(ValueError, "no storage container behind wasbs://z@a.*known here: c@a"):
            self.paths().of_uri("wasbs://z@a.blob.core.windows.net/p")
        with self.assertRaisesRegex(ValueError, "no file system for scheme 's3' in s3://b/k"):
            self.paths().of_uri("s3://b/k")

    def test_real_mounts_are_left_alone(self) -> None:
        self.assertEqual(self.paths(mounted=True).of_file("/dbfs/x"), "/dbfs/x")
        self.assertEqual(self.paths(mounted=True).in_text("cat /dbfs/x"), "cat /dbfs/x")

    def test_shell_text_is_resolved_word_by_word(self) -> None:
        text = self.paths().in_text("ls /dbfs/a '/Workspace/b'; ls /dbfs x/dbfs/y /dbfsx")
        self.assertEqual(text, "ls /D/a '/W/b'; ls /D x/dbfs/y /dbfsx")


class PlainPython(RunnerTest):
    """`open`, `os`, `pathlib`, `shutil` and `import` below /dbfs and its kin."""

    def test_the_usual_ways_to_files_work(self) -> None:
        self.write("workspace/Shared/lib/greet.py", "NAME = 'imported'")
        done = self.script("""\
            import glob, os, pathlib, shutil, sys
            os.makedirs("/dbfs/a/b")
            with open("/dbfs/a/b/f.txt", "w") as file:
                file.write("text")
            path = pathlib.Path("/dbfs/a")
            print(sorted(it.name for it in path.iterdir()), (path / "b/f.txt").read_text(), path.exists())
            print(glob.glob("/dbfs/a/**/*.txt", recursive=True), list(os.walk("/dbfs/a")))
            shutil.copytree("/dbfs/a", "/Volumes/copy")
            os.rename("/Volumes/copy/b/f.txt", "/Workspace/moved.txt")
            print(os.path.getsize("/Workspace/moved.txt"), os.path.isdir("/Volumes/copy/b"))
            shutil.rmtree("/dbfs/a")
            sys.path.append("/Workspace/Shared/lib")
            import greet
            print(greet.NAME, os.listdir("/dbfs"))
            open("/dbfs/none")
            """)
        self.assertEqual(done["log"].splitlines()[:4], [
            "['b'] text True",
            "['/dbfs/a/b/f.txt'] [('/dbfs/a', ['b'], []), ('/dbfs/a/b', [], ['f.txt'])]",
            "4 True", "imported []",
        ])
        self.assertEqual(done["error"], "FileNotFoundError: [Errno 2] No such file or directory: '/dbfs/none'")
        self.assertEqual(self.read("workspace/moved.txt"), "text")


class FileSystem(RunnerTest):
    """`dbutils.fs`."""

    def test_files_are_written_listed_copied_moved_and_removed(self) -> None:
        done = self.notebook("""\
            fs = dbutils.fs
            box = "wasbs://c1@store1.blob.core.windows.net/in"
            fs.put(f"{box}/a.txt", "hello")
            fs.mkdirs("/out/deep")
            print(fs.cp(f"{box}/a.txt", "/out/deep/"), fs.head("dbfs:/out/deep/a.txt", 4))
            fs.mv("/out/deep/a.txt", "file:/dbfs/out/b.txt")
            print([(it.path, it.name, it.size, it.isDir()) for it in fs.ls("/out")])
            print([it.path for it in fs.ls(box)], fs.rm("/nothing"), fs.rm("/out", True), fs.ls("/"))
            """)
        self.assertEqual(done["log"].splitlines(), [
            "Wrote 5 bytes.", "[Truncated to first 4 bytes]", "True hell",
            "[('dbfs:/out/b.txt', 'b.txt', 5, False), ('dbfs:/out/deep/', 'deep/', 0, True)]",
            "['wasbs://c1@store1.blob.core.windows.net/in/a.txt'] False True []",
        ])
        self.assertTrue(os.path.exists(os.path.join(self.blob, "in/a.txt")))

    def test_refusals_name_the_path_and_the_remedy(self) -> None:
        cases = {
            "fs.ls('/no')": "FileNotFoundError: No such file or directory: /no",
            "fs.put('/f', 'x')": "FileExistsError: The path already exists: /f (overwrite=True replaces it)",
            "fs.cp('/d', '/e')": "IsADirectoryError: /d is a directory: recurse must be true",
            "fs.rm('/d')": "OSError: /d is a non-empty directory: recurse must be true",
            "fs.mount('a', 'b')": "LocalExecutorError: dbutils.fs.mount is not available on a local cluster; "
            "use the wasbs:// or dbfs:/ path",
        }
        self.write("dbfs/f", "x")
        self.write("dbfs/d/g", "x")
        for call, error in cases.items():
            with self.subTest(call):
                self.assertEqual(self.notebook(f"fs = dbutils.fs\n{call}\n")["error"], error)


if __name__ == "__main__":
    unittest.main()
