"""Ids that are new each time become node-1, module-1, data-1, snapshot-1 ... in order of appearance."""
import re


class Ids:
    def __init__(self):
        self._names, self._counts = {}, {}

    def name(self, kind, real):
        if real not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[real] = f"{kind}-{self._counts[kind]}"

    def of_graph(self, graph):
        """Names nodes and what they refer to: modules first, both in the order of the graph."""
        for node in graph["ModuleNodes"] + graph["DatasetNodes"]:
            self.name("node", node["Id"])
        for node in graph["ModuleNodes"]:
            self.name("module", node["ModuleId"])
        for node in graph["DatasetNodes"]:
            if "DatasetId" in node:
                self.name("data", node["DatasetId"])
            if "DataSetDefinition" in node:
                self.name("dataset", node["DataSetDefinition"]["Value"]["SavedDataSetReference"]["Id"])

    def real(self, kind):
        return [real for real, name in self._names.items() if name.startswith(kind + "-")]

    def apply(self, value):
        """`value` with every text that is an id replaced."""
        if isinstance(value, dict):
            return {key: self.apply(it) for key, it in value.items()}
        if isinstance(value, list):
            return [self.apply(it) for it in value]
        return self._names.get(value, value) if isinstance(value, str) else value


def message(text, folder):
    """A message of the SDK without what differs from run to run: node ids and the folder of the definition."""
    text = text.replace(str(folder), "FOLDER")
    return re.sub(r"\(([0-9a-f]{8})\)", "(node)", text)
