#!/usr/bin/env python3
"""scripts/redisai_produce_server_stats_results_table.py, run as a program on results in a folder of its own."""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "redisai_produce_server_stats_results_table.py")
HUMAN = "used_memory_human"

EXPECTED = """\
-------------------
Using the Overall inferences/sec to decide which result is the best per test variation
-------------------
## Auto-batching used_memory_human variation
Workers,Auto-batching 0,Auto-batching 10
1 workers,2.00M,n/a
10 workers,4.00M,5.00M

-------------------
## Tensor-batching used_memory_human variation
Workers,Tensor-batching 1,Tensor-batching 10
1 workers,2.00M,6.00M
10 workers,4.00M,n/a

"""


def result(workers, autobatching, tensor_batch, rate, periods):
    """periods: one dictionary of counters each, of one server."""
    stats = {str(10**18 + number): {"127.0.0.1:6379": counters} for number, counters in enumerate(periods)}
    return {"Workers": workers, "MetadataAutobatching": autobatching, "TensorBatchSize": tensor_batch,
            "OverallRates": {"overallOpsRate": rate}, "OverallQuantiles": {"AllQueries": {"q50": 1}},
            "ServerRunTimeStats": stats}


class ServerStatsTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_on(self, results, *arguments):
        for number, data in enumerate(results):
            with open(os.path.join(self.folder, "JSON_%d.json" % number), "w", encoding="utf-8") as file:
                json.dump(data, file)
        return subprocess.run([sys.executable, SCRIPT, "--dir", self.folder, *arguments], capture_output=True,
                              encoding="utf-8", timeout=60, check=False)

    def test_the_last_period_of_the_fastest_repetition_counts(self):
        done = self.run_on([
            result(1, 0, 1, 50, [{HUMAN: "9.00M"}]),
            result(1, 0, 1, 51, [{HUMAN: "1.00M"}, {HUMAN: "2.00M"}]),
            result(1, 0, 1, 49, [{HUMAN: "3.00M"}]),
            result(10, 0, 1, 80, [{HUMAN: "4.00M"}]),
            result(10, 10, 1, 90, [{HUMAN: "5.00M"}]),
            result(1, 0, 10, 70, [{HUMAN: "6.00M"}]),
        ])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, EXPECTED)

    def test_periods_are_ordered_by_time_not_by_place(self):
        data = result(1, 0, 1, 50, [])
        data["ServerRunTimeStats"] = {"1000": {"a": {HUMAN: "late"}}, "999": {"a": {HUMAN: "early"}}}
        self.assertIn("1 workers,late\n", self.run_on([data]).stdout)

    def test_a_period_without_the_counter_is_passed_over(self):
        done = self.run_on([result(1, 0, 1, 50, [{HUMAN: "7.00M"}, {}])])
        self.assertIn("1 workers,7.00M\n", done.stdout)

    def test_a_run_without_statistics_is_na(self):
        done = self.run_on([result(1, 0, 1, 50, [{HUMAN: "7.00M"}]), result(2, 0, 1, 50, [])])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 workers,n/a\n", done.stdout)

    def test_values_with_commas_stay_one_cell(self):
        value = "calls=7,usec=70,usec_per_call=10.00"
        done = self.run_on([result(1, 0, 1, 50, [{"cmdstat_ai.modelrun": value}])],
                           "--server_runtime_stats_metricname", "cmdstat_ai.modelrun")
        rows = list(csv.reader(io.StringIO(done.stdout)))
        self.assertIn(["1 workers", value], rows)

    def test_markdown_has_rows_of_equal_width(self):
        done = self.run_on([result(1, 0, 1, 50, [{HUMAN: "7.00M"}])], "--format", "markdown")
        lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
        self.assertEqual(len(lines), 6)
        self.assertEqual(len({len(line) for line in lines}), 1 + (len(lines[0]) != len(lines[3])))
        self.assertIn("| 1 workers |", lines[2])

    def test_a_counter_that_nobody_has_is_named(self):
        done = self.run_on([result(1, 0, 1, 50, [{HUMAN: "7.00M"}])], "--server_runtime_stats_metricname", "nosuch")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nosuch", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_empty_folder_is_one_clear_line(self):
        done = self.run_on([])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
