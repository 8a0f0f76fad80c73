#!/usr/bin/env python3
"""scripts/redisai_produce_results_table.py, run as a program on results in a folder of its own."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "redisai_produce_results_table.py")

EXPECTED = """\
-------------------
## Auto-batching overall throughput (inferences/sec) ((higher is better))
Workers,Auto-batching 0,Auto-batching 10,Auto-batching 20
1 workers,51.904,n/a,n/a
10 workers,55.658,85.408,n/a
20 workers,n/a,n/a,120.000

## Auto-batching p50 latency results (latency in ms including RTT) ((lower is better))
Workers,Auto-batching 0,Auto-batching 10,Auto-batching 20
1 workers,18.000,n/a,n/a
10 workers,170.123,110.000,n/a
20 workers,n/a,n/a,150.000

-------------------
## Tensor-batching overall throughput (inferences/sec) ((higher is better))
Workers,Tensor-batching 1,Tensor-batching 10
1 workers,51.904,70.500
10 workers,55.658,n/a
20 workers,n/a,n/a

## Tensor-batching p50 latency results (latency in ms including RTT) ((lower is better))
Workers,Tensor-batching 1,Tensor-batching 10
1 workers,18.000,140.000
10 workers,170.123,n/a
20 workers,n/a,n/a

"""


def result(workers, autobatching, tensor_batch, rate, q50, **more):
    return {"ResultFormatVersion": "", "Limit": 1000, "Workers": workers, "MetadataAutobatching": autobatching,
            "TensorBatchSize": tensor_batch, "MaxRps": 0, "Totals": None,
            "OverallRates": {"overallOpsRate": rate},
            "OverallQuantiles": {"AllQueries": {"q0": 1, "q50": q50, "q95": 2 * q50}, "EncodedHistogram": None}, **more}


class ResultsTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(data if isinstance(data, str) else json.dumps(data))

    def write_sweep(self):
        runs = [(1, 0, 1, 51.904, 18.2), (1, 0, 1, 50.1, 18.0), (1, 0, 1, 49.9, 19.0),
                (10, 0, 1, 55.6581, 170.1234), (10, 10, 1, 85.408, 110), (20, 20, 1, 120, 150),
                (1, 0, 10, 70.5, 140)]
        for number, run in enumerate(runs):
            self.write("JSON_redisai__cpu_run_%d.json" % number, result(*run))

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False)

    def test_best_of_the_repetitions_is_shown_with_three_decimals(self):
        self.write_sweep()
        done = self.run_script("--dir", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, EXPECTED)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("note: 4 of 5 variations have fewer than 3 runs", done.stderr)

    def test_prefix_chooses_files(self):
        self.write("JSON_a_run.json", result(1, 0, 1, 10, 1))
        self.write("JSON_b_run.json", result(1, 0, 1, 99, 1))
        done = self.run_script("--dir", self.folder, "--prefix", "JSON_a")
        self.assertIn("1 workers,10.000\n", done.stdout)
        self.assertNotIn("99.000", done.stdout)

    def test_markdown_has_the_same_figures(self):
        self.write_sweep()
        done = self.run_script("--dir", self.folder, "--format", "markdown")
        self.assertEqual(done.returncode, 0)
        self.assertIn("| Workers    | Auto-batching 0 | Auto-batching 10 | Auto-batching 20 |\n"
                      "| ---------- | --------------: | ---------------: | ---------------: |\n"
                      "| 1 workers  |          51.904 |              n/a |              n/a |\n"
                      "| 10 workers |          55.658 |           85.408 |              n/a |\n", done.stdout)

    def test_default_auto_batching_is_a_column_like_any_other(self):
        self.write("JSON_x.json", result(16, -1, 1, 20000, 0.7))
        done = self.run_script("--dir", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("Workers,Auto-batching -1\n16 workers,20000.000\n", done.stdout)
        self.assertIn("## Tensor-batching overall throughput (inferences/sec) ((higher is better))\nWorkers\n",
                      done.stdout)

    def test_broken_files_are_named_and_skipped(self):
        self.write("good.json", result(1, 0, 1, 10, 1))
        self.write("cut.json", json.dumps(result(1, 0, 1, 99, 1))[:-20])
        self.write("empty.json", "")
        self.write("list.json", [1, 2])
        self.write("other.json", {"Workers": 3})
        self.write("text.json", result("many", 0, 1, 99, 1))
        with open(os.path.join(self.folder, "binary.json"), "wb") as file:
            file.write(b"\xff\xfe\x00{")
        self.write("notes.txt", "not looked at")
        done = self.run_script("--dir", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("1 workers,10.000\n", done.stdout)
        self.assertNotIn("99.000", done.stdout)
        for name in ("cut", "empty", "list", "other", "text", "binary"):
            self.assertIn("note: %s: skipped" % os.path.join(self.folder, name + ".json"), done.stderr)
        self.assertIn("no member 'MetadataAutobatching'", done.stderr)
        self.assertNotIn("notes.txt", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_runs_that_ended_early_are_named_and_skipped(self):
        self.write("whole.json", result(1, 0, 1, 10, 1, Interrupted=False, StoppedByError=False))
        self.write("interrupted.json", result(1, 0, 1, 99, 1, Interrupted=True))
        self.write("stopped.json", result(1, 0, 1, 98, 1, StoppedByError=True))
        done = self.run_script("--dir", self.folder)
        self.assertIn("1 workers,10.000\n", done.stdout)
        self.assertIn("interrupted.json: skipped", done.stderr)
        self.assertIn("stopped.json: skipped", done.stderr)

    def test_cells_of_unlike_protocols_are_noted(self):
        self.write("a.json", result(1, 0, 1, 10, 1, DBSpecificConfigs={"protocol": "grpc"}))
        self.write("b.json", result(1, 0, 1, 20, 1, DBSpecificConfigs={"protocol": "rest"}))
        done = self.run_script("--dir", self.folder)
        self.assertIn("1 of 1 variations take the best of runs with different protocols (grpc, rest): use --prefix",
                      done.stderr)

    def test_cells_of_unlike_runs_are_noted(self):
        def config(model, reference):
            return {"DBSpecificConfigs": {"model": model, "enable-reference-data-redis": reference}}

        self.write("a.json", result(1, 0, 1, 10, 1, **config("financialNet", "true")))
        self.write("b.json", result(1, 0, 1, 20, 1, **config("financialNet_NoReference", "false")))
        # Another cell may have another model.
        self.write("c.json", result(2, 0, 1, 20, 1, **config("mobilenet", "false")))
        self.write("d.json", result(2, 0, 1, 30, 1, DBSpecificConfigs=None))
        done = self.run_script("--dir", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("1 workers,20.000\n2 workers,30.000\n", done.stdout)
        self.assertIn("note: 1 of 2 variations take the best of runs with different models "
                      "(financialNet, financialNet_NoReference): use --prefix", done.stderr)
        self.assertIn("with different reference settings (false, true): use --prefix", done.stderr)
        self.assertNotIn("rates", done.stderr)
        done = self.run_script("--dir", self.folder, "--prefix", "a")
        self.assertNotIn("--prefix", done.stderr)

    def test_cells_of_several_rates_are_noted(self):
        for number, rate in enumerate((0, 500, 500.5, {"odd": [1]})):
            self.write("%d.json" % number, dict(result(1, 0, 1, 10, 1), MaxRps=rate))
        done = self.run_script("--dir", self.folder)
        self.assertEqual(done.returncode, 0)
        self.assertIn("different rates (0, 500, 500.5, ", done.stderr)
        self.assertNotIn("models", done.stderr)

    def assert_fails(self, done, *words):
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_missing_folder_is_one_clear_line(self):
        missing = os.path.join(self.folder, "nowhere")
        done = self.run_script("--dir", missing)
        self.assert_fails(done, missing, "No such file or directory", "--dir")
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_folder_without_results_is_one_clear_line(self):
        self.assert_fails(self.run_script("--dir", self.folder), self.folder, "-json-out-file")
        self.write("a.json", result(1, 0, 1, 10, 1))
        self.assert_fails(self.run_script("--dir", self.folder, "--prefix", "zzz"), "\"zzz\"")

    def test_folder_of_broken_files_only_fails(self):
        self.write("a.json", "{")
        self.assert_fails(self.run_script("--dir", self.folder), "a.json: skipped", "none of 1 JSON files")

    def test_unknown_format_is_a_usage_error(self):
        self.assertEqual(self.run_script("--dir", self.folder, "--format", "html").returncode, 2)
        self.assertEqual(self.run_script().returncode, 2)


if __name__ == "__main__":
    unittest.main()
