"""From a definition in its declarative form to objects of the official SDK."""
from azureml.core import Dataset
from azureml.core.databricks import EggLibrary, JarLibrary, MavenLibrary, PyPiLibrary, RCranLibrary
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import DatabricksStep

from .cloud import datastore

LIBRARIES = {"pypi_libraries": PyPiLibrary, "maven_libraries": MavenLibrary, "rcran_libraries": RCranLibrary,
             "egg_libraries": EggLibrary, "jar_libraries": JarLibrary}
# Keys of the form that are no parameters of the constructor.
NOT_OF_THE_CONSTRUCTOR = ("type", "run_after")


class Builder:
    def __init__(self, workspace, definition, folder):
        self._workspace = workspace
        self._definition = definition
        self._folder = folder
        self._datastores = {}
        self._parameters = {name: PipelineParameter(name, self._default(name, value))
                            for name, value in definition.get("parameters", {}).items()}
        self._data = {entry["name"]: self._reference(entry) for entry in definition.get("data", [])}
        for step in definition["steps"]:
            for output in step.get("outputs") or []:
                output = {"name": output} if isinstance(output, str) else output
                self._data[output["name"]] = self._output(output)

    def pipeline(self):
        definition = self._definition
        steps = [(entry, self._step(entry)) for entry in definition["steps"]]
        by_name = {entry["name"]: step for entry, step in steps}
        for entry, step in steps:
            for earlier in entry.get("run_after", []):
                step.run_after(by_name[earlier])
        store = definition.get("default_datastore")
        return Pipeline(self._workspace, [step for _, step in steps], description=definition.get("description"),
                        default_datastore=self._datastore(store) if store else None)

    def _step(self, entry):
        arguments = {key: value for key, value in entry.items() if key not in NOT_OF_THE_CONSTRUCTOR}
        arguments.setdefault("compute_target", self._definition.get("default_compute"))
        if "inputs" in arguments:
            arguments["inputs"] = arguments["inputs"] and [self._input(it) for it in arguments["inputs"]]
        if "outputs" in arguments:
            arguments["outputs"] = arguments["outputs"] and [self._data[it if isinstance(it, str) else it["name"]]
                                                             for it in arguments["outputs"]]
        if arguments.get("source_directory") is not None:
            arguments["source_directory"] = str(self._folder / arguments["source_directory"])
        for key in ("notebook_params", "python_script_params", "jar_params", "spark_conf"):
            if key in arguments:
                arguments[key] = self._with_parameters(arguments[key])
        for key, library in LIBRARIES.items():
            if arguments.get(key):
                arguments[key] = [library(**it) if isinstance(it, dict) else library(it) for it in arguments[key]]
        return DatabricksStep(**arguments)

    def _with_parameters(self, values):
        if isinstance(values, list):
            return [self._argument(it) for it in values]
        if isinstance(values, dict):
            return {key: self._argument(it) for key, it in values.items()}
        return values

    def _argument(self, value):
        is_parameter = isinstance(value, dict) and set(value) == {"parameter"}
        return self._parameters[value["parameter"]] if is_parameter else value

    def _default(self, name, value):
        if isinstance(value, dict) and "path_on_datastore" in value:
            return DataPath(self._datastore(value.get("datastore")), value["path_on_datastore"], name=value.get("name", name))
        return value

    def _reference(self, entry):
        if entry.get("dataset") == "file":
            path = (self._datastore(entry["datastore"]), entry["path"])
            dataset = Dataset.File.from_files(path, validate=False).as_named_input(entry["name"])
            return dataset.as_download(entry.get("path_on_compute")) if entry.get("mode") == "download" else dataset
        names = {"name": "data_reference_name", "path": "path_on_datastore"}
        arguments = {names.get(key, key): value for key, value in entry.items()}
        arguments["datastore"] = self._datastore(entry.get("datastore") or self._definition.get("default_datastore"))
        return DataReference(**arguments)

    def _output(self, entry):
        store = entry.get("datastore")
        return PipelineData(**{**entry, "datastore": self._datastore(store) if store else None})

    def _input(self, entry):
        if isinstance(entry, str):
            # What no step writes is PipelineData without a producer.
            return self._data[entry] if entry in self._data else PipelineData(entry)
        if "parameter" in entry:
            return (self._parameters[entry["parameter"]], DataPathComputeBinding(mode=entry.get("mode", "mount")))
        binding = {key: value for key, value in entry.items() if key != "name"}
        return self._data[entry["name"]].create_input_binding(**binding)

    def _datastore(self, name):
        if name not in self._datastores:
            self._datastores[name] = datastore(self._workspace, name)
        return self._datastores[name]
