"""scripts/summary_table.py, run as a person runs it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "summary_table.py")


def result(model, workers, rate, q50):
    return {"Workers": workers, "MetadataAutobatching": 0, "TensorBatchSize": 1, "DBSpecificConfigs": {"model": model},
            "OverallRates": {"overallOpsRate": rate},
            "OverallQuantiles": {"AllQueries": {"q50": q50, "q99": 2 * q50, "q999": 3 * q50}},
            "Client": {"CPUMicrosPerInference": 7.5}}


class SummaryTable(unittest.TestCase):
    def run_on(self, results):
        with tempfile.TemporaryDirectory() as folder:
            for number, data in enumerate(results):
                with open(os.path.join(folder, "JSON_%d.json" % number), "w", encoding="utf-8") as file:
                    json.dump(data, file)
            return subprocess.run([sys.executable, SCRIPT, "--dir", folder], capture_output=True, text=True, check=False)

    def test_medians_and_spread_of_the_repetitions(self):
        done = self.run_on([result("net", 16, rate, q50) for rate, q50 in ((100, 1), (110, 3), (120, 2))])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[1].split(),
                         ["net", "16", "1", "3", "110", "18", "%", "2.000", "4.000", "6.000", "7.5"])

    def test_setups_have_a_row_each_in_order_of_workers(self):
        done = self.run_on([result("net", 64, 1, 1), result("net", 2, 1, 1), result("a", 8, 1, 1)])
        self.assertEqual([line.split()[:2] for line in done.stdout.splitlines()[1:]],
                         [["a", "8"], ["net", "2"], ["net", "64"]])

    def test_rows_say_which_of_their_runs_are_not_valid(self):
        runs = [result("net", 16, 100, 1) for _ in range(4)] + [result("fine", 16, 100, 1)]
        for run, verdict in zip(runs, ("TOO SHORT", "CLIENT-LIMITED", "TOO SHORT", "VALID", "VALID")):
            run["Audit"] = {"Verdict": verdict}
        lines = self.run_on(runs).stdout.splitlines()
        self.assertTrue(lines[1].startswith("fine") and lines[1].endswith(" 7.5"), lines[1])
        self.assertTrue(lines[2].endswith(" 7.5  2 TOO SHORT, 1 CLIENT-LIMITED"), lines[2])

    def test_a_run_that_nobody_judged_has_no_mark(self):
        run = result("net", 16, 100, 1)
        run["Audit"] = None
        self.assertTrue(self.run_on([run]).stdout.splitlines()[1].endswith(" 7.5"))

    def test_one_run_has_no_spread(self):
        done = self.run_on([result("net", 1, 5, 1)])
        self.assertIn("n/a", done.stdout.splitlines()[1])

    def test_an_empty_folder_is_one_clear_line(self):
        done = self.run_on([])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
