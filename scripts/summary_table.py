#!/usr/bin/env python3
"""One row for every set-up that was run: its median rate, the spread of its repetitions, latencies, client CPU.

Batch is the number of inferences a request holds (the tensor batch). Behind a row stands what its runs are worth where a
verdict is not VALID."""

import argparse
import statistics
import sys

from aibench_results import ResultsError, load_runs

HEADINGS = ("Set-up", "Workers", "Batch", "Runs", "Inferences/s", "Spread", "q50 ms", "q99 ms", "q99.9 ms", "Client CPU \u00b5s")


def model_of(run):
    config = run.data.get("DBSpecificConfigs") or {}
    return config.get("model") or run.data.get("TestDescription") or "?"


def protocol_of(run):
    """What was asked, and how: the driver's name is the end of the description."""
    config = run.data.get("DBSpecificConfigs") or {}
    name = run.data.get("TestDescription", "?").split(" on ")[-1]
    # A plain REST server's path says how it was asked; AIBench's own goes without saying.
    uri = config.get("restapi-request-uri")
    if config.get("protocol") or uri not in (None, "/v2/predict"):
        name += ", " + (config.get("protocol") or uri)
    return name + (", reference data" if config.get("enable-reference-data-redis") == "true" else "")


NAMES = {"model": model_of, "protocol": protocol_of}


def median_of(runs, value):
    values = [value(run) for run in runs]
    return statistics.median(values) if None not in values else None


def cell(value, digits):
    return "n/a" if value is None else "%.*f" % (digits, value)


def verdicts_of(runs):
    """"2 CLIENT-LIMITED, 1 TOO SHORT"; nothing where all are valid or nobody judged."""
    verdicts = [(run.data.get("Audit") or {}).get("Verdict", "VALID") for run in runs]
    kinds = sorted(set(verdicts) - {"VALID"}, key=lambda verdict: (-verdicts.count(verdict), verdict))
    return ", ".join("%d %s" % (verdicts.count(verdict), verdict) for verdict in kinds)


def row_of(key, runs):
    rates = [run.rate for run in runs]
    rate = statistics.median(rates)
    quantile = lambda name: median_of(runs, lambda run: run.data["OverallQuantiles"]["AllQueries"].get(name))
    cpu = median_of(runs, lambda run: (run.data.get("Client") or {}).get("CPUMicrosPerInference"))
    spread = 100 * (max(rates) - min(rates)) / rate if rate and len(rates) > 1 else None
    return (key[0], str(key[1]), str(key[2]), str(len(runs)), cell(rate, 0), "n/a" if spread is None else "%.0f %%" % spread,
            cell(quantile("q50"), 3), cell(quantile("q99"), 3), cell(quantile("q999"), 3), cell(cpu, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", required=True, help="folder of the JSON results")
    parser.add_argument("--prefix", default="", help="only files with this in their name")
    parser.add_argument("--by", choices=sorted(NAMES), default="model", help="what a set-up is called by")
    arguments = parser.parse_args()
    try:
        runs = load_runs(arguments.dir, arguments.prefix)
    except ResultsError as error:
        print("%s: %s" % (parser.prog, error), file=sys.stderr)
        return 1
    setups = {}
    for run in runs:
        setups.setdefault((NAMES[arguments.by](run), run.workers, run.tensor_batch), []).append(run)
    rows = [HEADINGS] + [row_of(key, setups[key]) for key in sorted(setups)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    marks = [""] + [verdicts_of(setups[key]) for key in sorted(setups)]
    for row, mark in zip(rows, marks):
        cells = [row[0].ljust(widths[0])] + [text.rjust(width) for text, width in zip(row[1:], widths[1:])]
        print("  ".join(cells + ([mark] if mark else [])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
