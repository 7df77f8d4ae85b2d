#!/usr/bin/env python3
"""Records what the official SDK makes of pipeline definitions, as fixtures.

    azml-mock serve --listen 127.0.0.1:0 --ready-file ready.json &
    python3.11 tests/recorders/pipelines.py --ready ready.json --out fixtures/pipelines

Needs the packages of requirements-pipelines.txt. Each definition of pipeline/cases is built with the SDK and submitted to
the mock, in a world that was reset before; what the SDK sent is written down, ids renamed. Below --out, these folders are
written anew: definitions, refused, accepted-by-accident, snapshots. Two recordings give the same bytes.
"""
import argparse
import os
import pathlib
import sys
import tempfile

from pipeline import cloud

FOLDERS = ("definitions", "refused", "accepted-by-accident", "snapshots")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ready", required=True, type=pathlib.Path, help="the file that the mock writes once it serves")
    arguments.add_argument("--out", required=True, type=pathlib.Path, help="the folder of the fixtures")
    arguments.add_argument("--only", default="", help="record only cases with this text in their name, and keep the others")
    options = arguments.parse_args()
    out = options.out.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        mock = cloud.Mock(options.ready.resolve(), pathlib.Path(scratch))
        os.chdir(scratch)  # Outside any git repository: the SDK sends what it finds there.
        from pipeline import record  # The SDK reads the environment that `Mock` sets when it is imported.

        if not options.only:
            record.check_cases()
            for folder in FOLDERS:
                for old in (out / folder).glob("*.json"):
                    old.unlink()
        counts = {folder: 0 for folder in FOLDERS}
        for folder, name, fixture in record.fixtures(mock, options.only):
            record.write(out / folder / f"{name}.json", fixture)
            counts[folder] += 1
    print(", ".join(f"{folder}: {count}" for folder, count in counts.items()))


if __name__ == "__main__":
    sys.exit(main())
