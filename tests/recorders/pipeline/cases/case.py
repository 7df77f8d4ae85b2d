"""How a case is written down."""
import dataclasses


@dataclasses.dataclass
class Case:
    definition: dict
    source_files: dict
    submit: dict
    publish: dict | None
    extensions: tuple
    validate: bool
    why: str
    only_sent: bool

    @property
    def name(self):
        return self.definition["name"]


def pipeline(name, *steps, source_files=None, submit=None, publish=None, extensions=(), validate=True, why="", only_sent=False, **keys):
    """A case whose definition has these steps; other keywords are further keys of the definition.

    `only_sent` is for a submission that the mock refuses: what the SDK sent is a fact all the same.
    """
    definition = {"name": name, "default_compute": "databricks", **keys, "steps": list(steps)}
    return Case(definition, source_files or {}, submit or {}, publish, extensions, validate, why, only_sent)


def step(name, **keys):
    return {"type": "DatabricksStep", "name": name, **keys}


def notebook(name="train", **keys):
    return step(name, **{"notebook_path": "/Shared/train", "num_workers": 1, **keys})


def script(name="train", **keys):
    return step(name, **{"python_script_path": "dbfs:/scripts/train.py", "num_workers": 1, **keys})


def local(name="train", **keys):
    return step(name, **{"python_script_name": "train.py", "source_directory": "src", "num_workers": 1, **keys})


def jar(name="train", **keys):
    return step(name, **{"main_class_name": "com.example.Train", "jar_libraries": ["dbfs:/jars/train.jar"], "num_workers": 1, **keys})


def parameter(name):
    return {"parameter": name}
