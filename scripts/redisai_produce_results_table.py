#!/usr/bin/env python3
"""Tables of throughput and median latency over workers and batch sizes, from the JSON results of many runs.

The best of the repetitions counts: the highest rate, the lowest median latency. Whatever has the same workers and batch
sizes is taken for a repetition, as AIBench does; a note says where models or rates differ. Runs with a tensor batch size of 1 make
the auto-batching tables, runs with auto-batching 0 the tensor-batching ones.
"""

import argparse
import json
import sys

from aibench_results import ResultsError, load_runs, note

REPETITIONS_WANTED = 3
LINE = "-------------------"
THROUGHPUT = "## %s overall throughput (inferences/sec) ((higher is better))"
LATENCY = "## %s p50 latency results (latency in ms including RTT) ((lower is better))"


def cells_of(runs, column, value):
    """{(workers, column): [value of each repetition]}"""
    cells = {}
    for run in runs:
        cells.setdefault((run.workers, column(run)), []).append(value(run))
    return cells


def table_rows(runs, workers, name, column, value, best):
    cells = cells_of(runs, column, value)
    columns = sorted({key[1] for key in cells})
    yield ["Workers"] + ["%s %d" % (name, c) for c in columns]
    for w in workers:
        yield ["%d workers" % w] + ["%.3f" % best(cells[w, c]) if (w, c) in cells else "n/a" for c in columns]


def format_csv(rows):
    return [",".join(row) for row in rows]


def format_markdown(rows):
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(cells) + " |")
        if number == 0:
            rules = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
            lines.append("| " + " | ".join(rules) + " |")
    return lines


def tables(runs, markdown):
    """The lines of all four tables."""
    workers = sorted({run.workers for run in runs})
    sections = (
        ("Auto-batching", [run for run in runs if run.tensor_batch == 1], lambda run: run.autobatching),
        ("Tensor-batching", [run for run in runs if run.autobatching == 0], lambda run: run.tensor_batch),
    )
    for name, chosen, column in sections:
        if not markdown:
            yield LINE
        for title, value, best in ((THROUGHPUT, lambda run: run.rate, max), (LATENCY, lambda run: run.q50, min)):
            rows = table_rows(chosen, workers, name, column, value, best)
            yield title % name
            if markdown:
                yield ""
            yield from (format_markdown if markdown else format_csv)(rows)
            yield ""


def variations_of(runs):
    """The runs that share a cell, of each cell."""
    variations = {}
    for run in runs:
        variations.setdefault((run.workers, run.autobatching, run.tensor_batch), []).append(run)
    return list(variations.values())


def note_mixtures(variations):
    kinds = (("models", lambda run: run.model), ("reference settings", lambda run: run.reference),
             ("protocols", lambda run: run.protocol), ("rates", lambda run: run.max_rps))
    for name, value_of in kinds:
        mixed = 0
        seen = set()
        for runs in variations:
            values = {json.dumps(value_of(run)).strip('"') for run in runs if value_of(run) is not None}
            if len(values) > 1:
                mixed += 1
                seen |= values
        if mixed:
            note("%d of %d variations take the best of runs with different %s (%s): use --prefix to choose"
                 % (mixed, len(variations), name, ", ".join(sorted(seen))))


def note_few_repetitions(variations):
    few = sum(len(runs) < REPETITIONS_WANTED for runs in variations)
    if few:
        note("%d of %d variations have fewer than %d runs: do not publish figures of fewer"
             % (few, len(variations), REPETITIONS_WANTED))


def main():
    parser = argparse.ArgumentParser(description="Print tables of throughput and p50 latency from JSON results.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--dir", required=True, help="folder of the JSON results")
    parser.add_argument("--prefix", default="", help="only files with this in their name")
    parser.add_argument("--format", choices=("csv", "markdown"), default="csv", help="form of the tables")
    arguments = parser.parse_args()
    try:
        runs = load_runs(arguments.dir, arguments.prefix)
    except ResultsError as error:
        print("%s: %s" % (parser.prog, error), file=sys.stderr)
        return 1
    for line in tables(runs, arguments.format == "markdown"):
        print(line)
    variations = variations_of(runs)
    note_mixtures(variations)
    note_few_repetitions(variations)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head) has seen enough
        sys.stderr.close()
        sys.exit(1)
