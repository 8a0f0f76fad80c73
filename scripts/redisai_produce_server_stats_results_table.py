#!/usr/bin/env python3
"""Tables of a server's counter over workers and batch sizes, from the JSON results of many runs.

Of the repetitions the one with the highest rate counts; of that run the last period that has the counter, of the
first server that has it.
"""

import argparse
import sys

from aibench_results import ResultsError, load_runs
from redisai_produce_results_table import LINE, format_markdown


def last_value(run, name):
    """The counter's last value in the run as a text; None: it has none."""
    periods = run.data.get("ServerRunTimeStats") or {}
    for when in sorted(periods, key=int, reverse=True):
        for counters in periods[when].values():
            if name in counters:
                return str(counters[name])
    return None


def table_rows(runs, workers, name, column, counter):
    best = {}
    for run in runs:
        key = (run.workers, column(run))
        if key not in best or run.rate > best[key].rate:
            best[key] = run
    columns = sorted({key[1] for key in best})
    yield ["Workers"] + ["%s %d" % (name, c) for c in columns]
    for w in workers:
        values = [last_value(best[w, c], counter) if (w, c) in best else None for c in columns]
        yield ["%d workers" % w] + ["n/a" if value is None else value for value in values]


def format_csv(rows):
    """Values with commas, as commandstats have, are quoted."""
    return [",".join('"%s"' % cell.replace('"', '""') if "," in cell else cell for cell in row) for row in rows]


def tables(runs, counter, markdown):
    """The lines of both tables."""
    workers = sorted({run.workers for run in runs})
    sections = (
        ("Auto-batching", [run for run in runs if run.tensor_batch == 1], lambda run: run.autobatching),
        ("Tensor-batching", [run for run in runs if run.autobatching == 0], lambda run: run.tensor_batch),
    )
    if not markdown:
        yield LINE
    yield "Using the Overall inferences/sec to decide which result is the best per test variation"
    if markdown:
        yield ""
    for name, chosen, column in sections:
        rows = table_rows(chosen, workers, name, column, counter)
        if not markdown:
            yield LINE
        yield "## %s %s variation" % (name, counter)
        if markdown:
            yield ""
        yield from (format_markdown if markdown else format_csv)(rows)
        yield ""


def main():
    parser = argparse.ArgumentParser(description="Print tables of a server's counter from JSON results.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--dir", required=True, help="folder of the JSON results")
    parser.add_argument("--prefix", default="", help="only files with this in their name")
    parser.add_argument("--server_runtime_stats_metricname", default="used_memory_human",
                        help="the counter: ai_info.*, a line of INFO MEMORY or COMMANDSTATS, ai_*_used_cpu_*")
    parser.add_argument("--format", choices=("csv", "markdown"), default="csv", help="form of the tables")
    arguments = parser.parse_args()
    counter = arguments.server_runtime_stats_metricname
    try:
        runs = load_runs(arguments.dir, arguments.prefix)
    except ResultsError as error:
        print("%s: %s" % (parser.prog, error), file=sys.stderr)
        return 1
    if all(last_value(run, counter) is None for run in runs):
        print("%s: %s: no run has the counter %s; --server_runtime_stats_metricname names another"
              % (parser.prog, arguments.dir, counter), file=sys.stderr)
        return 1
    for line in tables(runs, counter, arguments.format == "markdown"):
        print(line)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head) has seen enough
        sys.stderr.close()
        sys.exit(1)
