"""Stands in for the dataset service, which the mock does not have: the SDK saves a dataset there before it can be an input.

It keeps what it is given and gives it back. What it says is made up; only what the SDK sends counts.
"""
import json
import re
import uuid

import requests


class SavedDatasets:
    def __init__(self):
        self._flows = {}

    def answer(self, request):
        """The answer to a call of the dataset service; None for other calls."""
        if "/saveddatasets" in request.url and request.method == "POST":
            dataset = {**json.loads(request.body), "id": str(uuid.uuid4())}
            self._flows[dataset["id"]] = json.loads(dataset["dataflowJson"])["meta"]["RsDataflow"]
            return _response(request, dataset)
        if found := re.search(r"/dataversion/unregistered-([0-9a-f-]+)/", request.url):
            return _response(request, {"legacyDataflow": self._flows[found[1]]})
        return None


def _response(request, body):
    response = requests.Response()
    response.status_code, response.request, response.url, response.encoding = 200, request, request.url, "utf-8"
    response.headers["Content-Type"] = "application/json"
    response._content = json.dumps(body).encode()
    return response
