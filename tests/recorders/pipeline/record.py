"""Runs cases and makes fixtures of what the SDK did."""
import contextlib
import importlib.metadata
import inspect
import io
import json
import logging
import pathlib
import tempfile

from azureml.core import Experiment
from azureml.pipeline.steps import DatabricksStep

from . import cases, snapshots
from .build import NOT_OF_THE_CONSTRUCTOR, Builder
from .capture import capture
from .rename import Ids, message

VERSIONS = [f"{name} {importlib.metadata.version(name)}" for name in ("azureml-pipeline-steps", "azureml-core")]
ORIGIN = " on ".join(VERSIONS)
# A RunConfiguration is an object of the SDK; the form has no word for it.
NOT_IN_THE_FORM = {"runconfig"}

logging.getLogger().setLevel(logging.ERROR)


def check_cases():
    """Every parameter of the constructor occurs; no name occurs twice."""
    definitions = cases.accepted() + cases.refused() + cases.accidents()
    used = {key for case in definitions for step in case.definition["steps"] for key in step} - set(NOT_OF_THE_CONSTRUCTOR)
    missing = set(inspect.signature(DatabricksStep.__init__).parameters) - {"self"} - used - NOT_IN_THE_FORM
    if missing:
        raise SystemExit(f"no case has {sorted(missing)}")
    for group in (cases.accepted(), cases.refused(), cases.accidents(), cases.snapshots()):
        names = [case.name for case in group]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise SystemExit(f"more than one case is called {sorted(twice)}")


def fixtures(mock, only):
    """Yields (folder, name, fixture) for every case with `only` in its name."""
    for folder, group, observe in (("definitions", cases.accepted(), _accepted), ("refused", cases.refused(), _refused),
                                   ("accepted-by-accident", cases.accidents(), _accident),
                                   ("snapshots", cases.snapshots(), snapshots.observe)):
        for case in group:
            if only in case.name:
                with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
                    scratch = pathlib.Path(scratch)
                    try:
                        observed = observe(mock, case, scratch)
                    except Exception as error:
                        error.add_note(f"case {folder}/{case.name}")
                        raise
                yield folder, case.name, observed


def write(path, fixture):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _accepted(mock, case, folder):
    sent = _submit(mock, case, folder)
    fixture = {"origin": f"{ORIGIN}, observed: what the SDK sent for this definition"}
    if case.extensions:
        fixture["extensions"] = list(case.extensions)
    fixture["definition"] = case.definition
    for key in ("source_files", "submit", "publish"):
        if getattr(case, key):
            fixture[key] = getattr(case, key)
    return {**fixture, "expected": _expected(sent)}


def _expected(sent):
    [(_, submission, _)] = sent.of("submission")
    ids = Ids()
    ids.of_graph(submission["Graph"])
    modules = {answer["Id"]: body for _, body, answer in sent.of("modules")}
    sources = {answer["Id"]: body for _, body, answer in sent.of("data_sources")}
    modules = [modules[real] for real in ids.real("module")]
    for module in modules:
        if "StorageId" in module:
            ids.name("snapshot", module["StorageId"])
    expected = {"submission": submission, "modules": modules, "data_sources": [sources[real] for real in ids.real("data")]}
    if saved := {answer["id"]: body for _, body, answer in sent.of("saved_datasets")}:
        expected["saved_datasets"] = [saved[real] for real in ids.real("dataset")]
    if types := [body for _, body, _ in sent.of("data_types")]:
        expected["data_types"] = types
    if published := [body for _, body, _ in sent.of("publish")]:
        [expected["publish"]] = published
    if trees := {path.rsplit("/", 1)[1]: body["DirTreeNode"] for path, body, _ in sent.of("snapshots")}:
        expected["snapshots"] = [{"StorageId": real, **snapshots.summary(trees[real])} for real in ids.real("snapshot")]
    return ids.apply(expected)


def _refused(mock, case, folder):
    try:
        _submit(mock, case, folder)
    except Refused as refused:
        error = refused.error
    else:
        raise RuntimeError("the SDK accepts it")
    origin = f"{ORIGIN}, observed: how the SDK refuses this definition"
    return {"origin": origin, "definition": case.definition, **_given(case), "error": error}


def _accident(mock, case, folder):
    _submit(mock, case, folder)
    origin = f"{ORIGIN}, observed: the SDK submits this definition without complaint"
    return {"origin": origin, "definition": case.definition, **_given(case), "why": case.why}


def _given(case):
    return {key: getattr(case, key) for key in ("source_files", "submit") if getattr(case, key)}


class Refused(Exception):
    def __init__(self, stage, kind, text):
        super().__init__(text)
        self.error = {"stage": stage, "type": kind, "message": text}


def _submit(mock, case, folder):
    """Does with the definition what a program does: builds it, validates it, submits it, publishes it."""
    snapshots.lay_out(folder, case.source_files)
    workspace = mock.fresh_workspace()

    @contextlib.contextmanager
    def stage(name):
        try:
            yield
        except Exception as error:
            text = " ".join(str(it) for it in error.args)
            raise Refused(name, type(error).__name__, message(text, folder)) from error

    with capture() as sent:
        with stage("construct"):
            pipeline = Builder(workspace, case.definition, folder).pipeline()
        if case.validate:
            with stage("validate"):
                problems = pipeline.validate()
            if problems:
                raise Refused("validate", "problems", "\n".join(message(it, folder) for it in problems))
        with stage("submit"):
            experiment = Experiment(workspace, case.definition.get("experiment") or case.definition["name"])
            go_on = {key: case.definition[key] for key in ("continue_on_step_failure",) if key in case.definition}
            try:
                experiment.submit(pipeline, **go_on, **case.submit)
            except Exception:
                if not (case.only_sent and sent.of("submission")):
                    raise
        if case.publish:
            with stage("publish"):
                pipeline.publish(**case.publish)
    return sent
