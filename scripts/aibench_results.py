"""Reads the JSON results of benchmark runs (-json-out-file): ours, and those of AIBench in Go."""

import json
import os
import sys


class ResultsError(Exception):
    """One line for the user: what was wrong and what to do."""


class Run:
    """What the tables need of one run. Raises KeyError, TypeError or ValueError if it is not there."""

    def __init__(self, path, data):
        self.path = path
        self.data = data
        self.workers = int(data["Workers"])
        self.autobatching = int(data["MetadataAutobatching"])
        self.tensor_batch = int(data["TensorBatchSize"])
        self.rate = float(data["OverallRates"]["overallOpsRate"])
        self.q50 = float(data["OverallQuantiles"]["AllQueries"]["q50"])
        config = data.get("DBSpecificConfigs")
        config = config if isinstance(config, dict) else {}
        # What a table does not show; None where the results do not say.
        self.model = config.get("model")
        self.reference = config.get("enable-reference-data-redis")
        # Of plain REST servers the path says how the request is made.
        self.protocol = config.get("protocol") or config.get("restapi-request-uri")
        self.max_rps = data.get("MaxRps")
        # Ours only: a run that ended early is no repetition of the others.
        self.incomplete = bool(data.get("Interrupted") or data.get("StoppedByError"))


def note(text):
    print("note: " + text, file=sys.stderr)


def _load(path):
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except OSError as error:
        note("%s: skipped, cannot be read: %s" % (path, error.strerror))
        return None
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, nested without end
        note("%s: skipped, no JSON: %s" % (path, error))
        return None
    try:
        return Run(path, data)
    except KeyError as error:
        note("%s: skipped, no results of a run: it has no member %s" % (path, error))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        note("%s: skipped, no results of a run: %s" % (path, error))
    return None


def load_runs(directory, prefix=""):
    """All complete runs of the folder's files NAME.json with prefix in NAME, in the order of the names.

    What cannot be used is named on standard error and skipped. Raises ResultsError if nothing is left.
    """
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".json") and prefix in name)
    except OSError as error:
        raise ResultsError("%s: cannot list this folder: %s; --dir names the folder of the JSON results"
                           % (directory, error.strerror)) from error
    if not names:
        raise ResultsError("%s: no file NAME.json%s; run a benchmark with -json-out-file, or give another --dir or "
                           "--prefix" % (directory, " with \"%s\" in its name" % prefix if prefix else ""))
    runs = []
    for name in names:
        run = _load(os.path.join(directory, name))
        if run is None:
            continue
        if run.incomplete:
            note("%s: skipped, this run was interrupted or stopped by an error" % run.path)
            continue
        runs.append(run)
    if not runs:
        raise ResultsError("%s: none of %d JSON files holds the results of a complete run" % (directory, len(names)))
    return runs
