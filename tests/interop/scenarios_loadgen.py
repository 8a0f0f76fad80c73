#!/usr/bin/env python3
"""Summaries of -scenario beside those of MLPerf's LoadGen itself: the same lines in the same order, the same accuracy log.

Not part of `make test`: `make interop` runs it. It needs mlcommons-loadgen.
"""

import array
import json
import os
import re
import subprocess
import sys
import threading
import unittest

import runs

SAMPLES = runs.ROWS
ANSWER = (1.0, 0.0)  # the null driver's
# Scenario: what LoadGen is set to, beyond the minima, so that its run is VALID, and our options for the same.
SCENARIOS = {
    "SingleStream": ({"single_stream_expected_latency_ns": 1000}, ("single-stream",)),
    "MultiStream": ({"multi_stream_samples_per_query": 8, "multi_stream_expected_latency_ns": 1000},
                    ("multi-stream",)),
    "Server": ({"server_target_qps": 2000, "server_target_latency_ns": 10**10},
               ("server", "-target-qps", "2000", "-target-latency", "10s")),
    "Offline": ({"offline_expected_qps": 5 * 10**6}, ("offline", "-target-qps", "50000000")),
}
SECONDS = 0.2
QUERIES = 700


def loadgen(scenario, mode, folder):
    """One run of LoadGen, of a system that answers at once. In a process of its own: it keeps global state."""
    import mlperf_loadgen as lg  # pylint: disable=import-outside-toplevel,import-error

    def answer(samples):
        values = array.array("f", ANSWER)
        address, n = values.buffer_info()
        size = n * values.itemsize
        lg.QuerySamplesComplete([lg.QuerySampleResponse(s.id, address, size) for s in samples])

    settings = lg.TestSettings()
    settings.scenario = getattr(lg.TestScenario, scenario)
    settings.mode = getattr(lg.TestMode, mode)
    settings.min_duration_ms = int(SECONDS * 1000)
    settings.min_query_count = QUERIES
    for name, value in SCENARIOS[scenario][0].items():
        setattr(settings, name, value)
    logs = lg.LogSettings()
    logs.log_output = lg.LogOutputSettings()
    logs.log_output.outdir = folder
    logs.log_output.copy_summary_to_stdout = False
    system = lg.ConstructSUT(lambda samples: threading.Thread(target=answer, args=(samples,)).start(), lambda: None)
    library = lg.ConstructQSL(SAMPLES, SAMPLES, lambda _: None, lambda _: None)
    lg.StartTestWithLogSettings(system, library, settings, logs)


def labels(summary):
    """The lines without their values; warnings differ, since ours are of overridden rules."""
    for line in summary.splitlines():
        name = line.split(":")[0] + ":" * (":" in line)
        if name.strip() and "warning" not in name:
            yield re.sub(r"discard \d+|\d{3,}", "#", name)


class Summaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)

    def theirs(self, scenario, mode, name):
        folder = os.path.join(self.runs.folder, f"loadgen_{scenario}_{mode}")
        os.mkdir(folder)
        subprocess.run([sys.executable, __file__, scenario, mode, folder], check=True, timeout=120)
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            return f.read()

    def ours(self, scenario, *options):
        self.runs.quietly("aibench_run_inference_null", "-file", self.runs.data, "-scenario",
                          *SCENARIOS[scenario][1], "-min-duration", f"{SECONDS}s", "-min-queries", str(QUERIES),
                          "-mlperf-summary", "summary.txt", *options)
        with open(os.path.join(self.runs.folder, "summary.txt"), encoding="utf-8") as f:
            return f.read()

    def check_labels(self, scenario):
        theirs = self.theirs(scenario, "PerformanceOnly", "mlperf_log_summary.txt")
        ours = self.ours(scenario)
        for summary in (theirs, ours):
            self.assertIn("Result is : VALID", summary)
        # What is overridden stands in a paragraph that LoadGen has no word for.
        left = labels(re.sub(r"  Not comparable.*\n(   \* .*\n)+", "", ours))
        self.assertEqual(list(labels(theirs)), list(left))

    def test_single_stream(self):
        self.check_labels("SingleStream")

    def test_multi_stream(self):
        self.check_labels("MultiStream")

    def test_server(self):
        self.check_labels("Server")

    def test_offline(self):
        self.check_labels("Offline")

    def test_accuracy_logs_have_the_same_form(self):
        theirs = json.loads(self.theirs("Offline", "AccuracyOnly", "mlperf_log_accuracy.json"))
        self.ours("Offline", "-scenario-mode", "accuracy", "-accuracy-log", "accuracy.json")
        with open(os.path.join(self.runs.folder, "accuracy.json"), encoding="utf-8") as f:
            ours = json.load(f)
        for log in (theirs, ours):
            self.assertEqual(sorted(e["qsl_idx"] for e in log), list(range(SAMPLES)))
        # LoadGen asks in an order of its own.
        self.assertEqual(sorted(map(str, [{**e, "seq_id": 0} for e in theirs])),
                         sorted(map(str, [{**e, "seq_id": 0} for e in ours])))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        loadgen(*sys.argv[1:])
    else:
        unittest.main()
