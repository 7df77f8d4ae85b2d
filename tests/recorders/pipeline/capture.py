"""What the SDK sends while something is done: the requests that write to the services of pipelines and snapshots."""
import contextlib
import json
import re
import urllib.parse

import requests

from .datasets import SavedDatasets

READS = ("GET", "HEAD")
# The services whose calls are written down; others (sign-in, experiments, datastores, blobs) only prepare.
SERVICES = ("pipelines", "content", "dataset")
# What a call is called here, by the end of its path.
CALLS = (
    ("modules", r"/Modules$"),
    ("data_sources", r"/DataSources$"),
    ("data_types", r"/DataTypes(/[^/]+)?$"),
    ("saved_datasets", r"/saveddatasets$"),
    ("submission", r"/PipelineRuns/Unsubmitted/CreationInfoWithGraph$"),
    ("submit", r"/PipelineRuns/Submit/[^/]+$"),
    ("publish", r"/Pipelines/Create$"),
    ("blobs", r"/snapshots/getblob$"),
    ("snapshots", r"/snapshots/[0-9a-f-]+$"),
)


class Sent(list):
    """Calls as (name, path, body, answer)."""

    def of(self, name):
        return [(path, body, answer) for other, path, body, answer in self if other == name]


@contextlib.contextmanager
def capture():
    sent, send, datasets = Sent(), requests.Session.send, SavedDatasets()

    def and_note(session, request, **options):
        response = datasets.answer(request) or send(session, request, **options)
        path = urllib.parse.urlsplit(request.url).path
        if request.method not in READS and path.split("/")[1] in SERVICES:
            sent.append((_name(path), path, json.loads(request.body or b"null"), _json(response)))
        return response

    requests.Session.send = and_note
    try:
        yield sent
    finally:
        requests.Session.send = send


def _name(path):
    for name, pattern in CALLS:
        if re.search(pattern, path):
            return name
    raise RuntimeError(f"the SDK made a call that the recorder does not know: {path}")


def _json(response):
    return json.loads(response.content or b"null") if response.ok else None
