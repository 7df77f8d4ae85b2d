"""The definitions, by subject. A case is data; build.py makes objects of the SDK from it."""
from . import accidents as _accidents
from . import clusters, code, data, graphs, libraries, parameters, submissions
from . import refused as _refused
from . import snapshots as _snapshots


def accepted():
    return [case for part in (code, clusters, libraries, parameters, data, graphs, submissions) for case in part.CASES]


def refused():
    return _refused.CASES


def accidents():
    return _accidents.CASES


def snapshots():
    return _snapshots.CASES
