"""Folders: which of their files the SDK takes along, and their hashes."""
import os
import urllib.parse

from azureml._project.ignore_file import get_project_ignore_file
from azureml._restclient import snapshots_client
from azureml.pipeline.core._module_builder import _ModuleBuilder

from .capture import capture

_upload = snapshots_client.upload_blob_from_stream


def _upload_to_unquoted_path(stream, url, **options):
    """The SDK quotes the path of the URL it was given, quoted or not; this undoes the first quoting."""
    parts = urllib.parse.urlsplit(url)
    return _upload(stream, urllib.parse.urlunsplit(parts._replace(path=urllib.parse.unquote(parts.path))), **options)


snapshots_client.upload_blob_from_stream = _upload_to_unquoted_path


def lay_out(folder, files):
    """Writes `files` (path: text, `null` for an empty folder, `{"link": target}`) below `folder`."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, dict):
            path.symlink_to(content["link"])
        else:
            path.write_bytes(content.encode())


def summary(tree):
    """The hash of a snapshot's tree, and the files in it by path with theirs."""
    return {"hash": tree["hash"], "files": dict(_files(tree, ""))}


def _files(node, below):
    for name, child in node["children"].items():
        if child["type"] == "File":
            yield below + name, child["hash"]
        else:
            yield from _files(child, f"{below}{name}/")


def observe(mock, case, folder):
    from .record import ORIGIN

    client = snapshots_client.SnapshotsClient(mock.fresh_workspace().service_context)
    folder = folder / "folder"
    folder.mkdir()
    lay_out(folder, case.files)
    fixture = {"origin": f"{ORIGIN}, observed: the snapshot of this folder", "files": case.files}
    fixture["expected"] = _take(client, folder)
    if case.changes:
        fixture["changes"] = case.changes
        for name, content in case.changes.items():
            (folder / name).unlink(missing_ok=True)
            if content is not None:
                lay_out(folder, {name: content})
        fixture["expected_after_changes"] = _take(client, folder)
    return fixture


def _take(client, folder):
    # The parameters of a module hold this hash; the snapshot is another matter, with another hash.
    ignore = get_project_ignore_file(str(folder))
    content_hash = _ModuleBuilder._default_content_hash_calculator(ignore.is_file_excluded, str(folder))
    with capture() as sent:
        client.create_snapshot(str(folder))
    trees = [body["DirTreeNode"] for _, body, _ in sent.of("snapshots")]
    taken = {"content_hash": content_hash, "tree": summary(trees[0]) if trees else None}
    asked = [body["FileNames"] for _, body, _ in sent.of("blobs")]
    taken["uploaded"] = sorted(name.replace(os.sep, "/") for names in asked for name in names)
    return taken
