#!/usr/bin/env python3
"""aibench_run_inference_triton against MLServer, a server of the Open Inference Protocol (servers/mlserver_runtime.py).

Not part of `make test`: `make interop` runs it. It needs mlserver.
"""

import json
import os
import unittest

import runs
import support
import known_model

PROGRAM = "aibench_run_inference_triton"
MODELS = ("financialNet_NoReference", "financialNet")


class MLServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)
        rows = cls.runs.rows
        cls.alone = cls.runs.answers("alone.bin", known_model.answer(rows["transaction"]))
        cls.both = cls.runs.answers("both.bin", known_model.answer(rows["transaction"], rows["reference"]))
        grpc, http, metrics = (support.free_port() for _ in range(3))
        cls.grpc = f"127.0.0.1:{grpc}"
        folder = os.path.join(cls.runs.folder, "models")
        settings = {"host": "127.0.0.1", "grpc_port": grpc, "http_port": http, "metrics_port": metrics,
                    "parallel_workers": 0}
        for model in MODELS:
            cls.write(os.path.join(folder, model, "model-settings.json"),
                      {"name": model, "implementation": "mlserver_runtime.KnownModel"})
        cls.write(os.path.join(folder, "settings.json"), settings)
        cls.server = support.Server(["mlserver", "start", folder],
                                    lambda s: all(f"Loaded model '{m}'" in s.text() for m in MODELS)
                                    and support.answers_on(grpc)(s),
                                    env=dict(os.environ, PYTHONPATH=runs.SERVERS))
        cls.addClassCleanup(cls.server.stop)

    @staticmethod
    def write(path, value):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            json.dump(value, f)

    # MLServer's HTTP has no binary tensors, which our HTTP driver sends: gRPC only.
    def each_transport(self, **how):
        for transport in ("lean", "grpc-core"):
            with self.subTest(transport=transport):
                self.runs.run(PROGRAM, "-host", self.grpc, "-transport", transport, "-timeout", "60s", **how)

    def test_rows_without_reference_data(self):
        self.each_transport(answers=self.alone)

    def test_rows_with_reference_data(self):
        self.each_transport(answers=self.both, reference=True)


if __name__ == "__main__":
    unittest.main()
