"""Resolves a Maven package and what it depends on: `python -u -B maven.py FOLDER COORDINATES REPOSITORY EXCLUSIONS`.

Spark brings Ivy along, so nothing else is needed. The JARs go to the folder; what could not be had is said in one line
on the error stream.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile


def main(arguments: list[str]) -> int:
    """Downloads the JARs."""
    folder, coordinates, repository, exclusions = arguments
    try:
        import pyspark
    except ImportError:
        print(f"Maven packages need pyspark, which this Python ({sys.executable}) does not have", file=sys.stderr)
        return 1
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        print("Maven packages need Java, and there is none", file=sys.stderr)
        return 1
    home = os.path.dirname(pyspark.__file__)
    with tempfile.TemporaryDirectory() as cache:
        command = [os.path.join(home, "bin", "spark-submit"), "--packages", coordinates, "--conf", f"spark.jars.ivy={cache}"]
        if repository:
            command += ["--repositories", repository]
        if exclusions:
            command += ["--exclude-packages", exclusions]
        # Any program will do: the packages are resolved before it starts.
        command += ["--class", "org.apache.hadoop.util.VersionInfo", "spark-internal"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"})
        found = os.path.join(cache, "jars")
        jars = os.listdir(found) if os.path.isdir(found) else []
        if done.returncode != 0 or not jars:
            print(_reason(done.stderr, coordinates), file=sys.stderr)
            return 1
        for jar in jars:
            shutil.copyfile(os.path.join(found, jar), os.path.join(folder, jar))
    return 0


def _reason(text: str, coordinates: str) -> str:
    lines = [it.strip() for it in text.splitlines()]
    told = [it for it in lines if "unresolved dependency" in it or "Provided Maven Coordinates" in it]
    return told[0].strip(":[] ") if told else f"{coordinates} could not be resolved: {lines[-1] if lines else 'nothing was said'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
