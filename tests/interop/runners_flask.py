#!/usr/bin/env python3
"""aibench_run_inference_flask_tensorflow against Flask and Gunicorn with TensorFlow inside (servers/flask_app.py).

Not part of `make test`: `make interop` runs it. It needs tensorflow-cpu, flask and gunicorn.
"""

import os
import sys
import unittest

import runs
import support

PROGRAM = "aibench_run_inference_flask_tensorflow"


class Flask(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)
        cls.golden = cls.runs.answers("golden.bin", support.fraud_rows(runs.ROWS)[1])
        port = support.free_port()
        cls.host = f"127.0.0.1:{port}"
        cls.server = support.Server(
            [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4", "--worker-class", "gthread",
             "--keep-alive", "60", "--bind", cls.host, "flask_app:app"],
            lambda s: "Booting worker" in s.text() and support.answers_on(port)(s), cwd=runs.SERVERS,
            env=dict(os.environ, AIBENCH_SAVED_MODELS=support.data_file("models/savedmodel")))
        cls.addClassCleanup(cls.server.stop)

    def each_way(self, *options, **how):
        for uri in ("/v2/predict", "/v1/predict"):
            for transport in ("lean", "curl"):
                with self.subTest(uri=uri, transport=transport):
                    self.runs.run(PROGRAM, "-restapi-host", self.host, "-restapi-request-uri", uri, "-transport",
                                  transport, "-timeout", "60s", *options, **how)

    def test_golden_rows_without_reference_data(self):
        self.each_way(answers=self.golden)

    def test_rows_with_reference_data(self):
        self.each_way(reference=True)  # this net draws random numbers: its answers are only probabilities


if __name__ == "__main__":
    unittest.main()
