#!/usr/bin/env python3
"""The server's CPU over the time of one run, from its JSON results: percent of a core in each period.

Reads our results, whose counters are each period's differences, and those of AIBench in Go, whose counters only grow.
With several servers their CPU is summed.
"""

import argparse
import json
import sys

from redisai_produce_results_table import format_csv, format_markdown

HEADINGS = ("timeframe", "total_pct [0,#CORES]", "main_thread_pct [0,100]", "background thread [0,100]", "backend_pct")


class FormatError(Exception):
    """One line for the user."""


def total(servers, wanted):
    """Seconds of all counters with such a name, on all servers."""
    return sum(float(value) for counters in servers.values() for name, value in counters.items() if wanted(name))


def cpu_seconds(servers):
    """(all threads, the main thread, the queues' threads)"""
    return (total(servers, lambda name: name.startswith("ai_self_used_cpu_")),
            total(servers, lambda name: name.startswith("ai_main_thread_used_cpu_")),
            total(servers, lambda name: name.startswith("ai_queue_") and "_bthread_" in name))


def periods_of(data):
    """(seconds, cpu_seconds within them) of each period."""
    stats = data["ServerRunTimeStats"]
    ours = "Program" in data
    times = sorted(stats, key=int)
    before = None
    for number, when in enumerate(times):
        cpu = cpu_seconds(stats[when])
        if number > 0:
            seconds = (int(when) - int(times[number - 1])) / 1e9
        else:
            # AIBench says of its first period neither when it began nor what the counters were.
            seconds = data["ClientRunTimeStats"].get(when, {}).get("TestTime") if ours else None
        if seconds:
            yield seconds, cpu if ours else tuple(now - then for now, then in zip(cpu, before))
        before = cpu


def rows_of(data):
    yield list(HEADINGS)
    for seconds, cpu in periods_of(data):
        all_pct, main_pct, queue_pct = (value / seconds * 100 for value in cpu)
        yield ["%.3f" % seconds] + ["%.2f" % pct for pct in (all_pct, main_pct, queue_pct, all_pct - main_pct)]


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return list(rows_of(json.load(file)))
    except OSError as error:
        raise FormatError("%s: cannot be read: %s" % (path, error.strerror)) from error
    except KeyError as error:
        raise FormatError("%s: no results of a run: it has no member %s" % (path, error)) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError("%s: no results of a run: %s" % (path, error)) from error


def main():
    parser = argparse.ArgumentParser(description="Print the server's CPU over the time of one run.")
    parser.add_argument("file", help="JSON results of a run (-json-out-file)")
    parser.add_argument("--format", choices=("csv", "markdown"), default="csv", help="form of the table (csv)")
    arguments = parser.parse_args()
    try:
        rows = load(arguments.file)
    except FormatError as error:
        print("%s: %s" % (parser.prog, error), file=sys.stderr)
        return 1
    if len(rows) == 1:
        print("%s: %s: the run has no server statistics: run it with a -reporting-period"
              % (parser.prog, arguments.file), file=sys.stderr)
        return 1
    for line in (format_markdown if arguments.format == "markdown" else format_csv)(rows):
        print(line)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head) has seen enough
        sys.stderr.close()
        sys.exit(1)
