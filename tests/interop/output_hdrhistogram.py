#!/usr/bin/env python3
"""Interval logs (-hlog-out-file) read by HdrHistogram's log reader for Python, and added up to the result's histograms.

Not part of `make test`: `make interop` runs it. It needs hdrhistogram.
"""

import json
import os
import unittest

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

import runs
import support

HIGHEST = 3600 * 10**9  # nanoseconds


def add_up(path):
    """The sum of each tag's intervals, the number of lines, and the start of the first one in ms."""
    sums, lines, first = {}, 0, None
    reader = HistogramLogReader(path, HdrHistogram(1, HIGHEST, 3))
    while (interval := reader.get_next_interval_histogram()) is not None:
        tag = interval.get_tag() or "Service"
        sums.setdefault(tag, HdrHistogram(1, HIGHEST, 3)).add(interval)
        lines += 1
        first = first or interval.get_start_time_stamp()
    reader.close()
    return sums, lines, first


class IntervalLogs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)

    def check(self, log, result, tags):
        sums, lines, first = add_up(os.path.join(self.runs.folder, log))
        with open(os.path.join(self.runs.folder, result), encoding="utf-8") as f:
            told = json.load(f)
        self.assertEqual(set(sums), tags)
        self.assertGreaterEqual(lines, 2 * len(tags))
        self.assertAlmostEqual(first / 1000, told["StartTime"], delta=2)
        for tag, total in sums.items():
            whole = told["Histograms"][tag]
            self.assertEqual(total.get_total_count(), whole["Count"])
            decoded = HdrHistogram.decode(whole["EncodedHistogram"])
            for percentile in (1, 25, 50, 90, 99, 99.9, 100):
                self.assertEqual(total.get_value_at_percentile(percentile),
                                 decoded.get_value_at_percentile(percentile), (tag, percentile))

    def test_an_open_loop_has_three_kinds_of_time(self):
        self.runs.run("aibench_run_inference_null", "-limit-rps", "2000", "-reporting-period", "50ms",
                      "-hlog-out-file", "open.hlog", "-json-out-file", "open.json")
        self.check("open.hlog", "open.json", {"Service", "Response", "SendLag"})

    def test_stages_of_a_model_server_are_tags(self):
        model = support.data_file("models/tensorflow/creditcardfraud.pb")
        server = support.ModelServer("-model", f"financialNet={model}")
        try:
            self.runs.run("aibench_run_inference_triton", "-host", server.grpc, "-limit-rps", "2000",
                          "-reporting-period", "50ms", "-hlog-out-file", "stages.hlog", "-json-out-file",
                          "stages.json", reference=True)
        finally:
            server.stop()
        self.check("stages.hlog", "stages.json", {"Service", "Response", "SendLag", "ReferenceFetch", "ModelCall"})


if __name__ == "__main__":
    unittest.main()
