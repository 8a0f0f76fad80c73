#!/usr/bin/env python3
"""aibench_run_inference_torchserve against TorchServe with AIBench's TorchScript nets (servers/torchserve_handler.py).

Not part of `make test`: `make interop` runs it. It needs torchserve, torch-model-archiver, torch and a Java runtime. The
right answers are PyTorch's own for the same rows.
"""

import os
import shutil
import subprocess
import sys
import unittest

import torch

import runs
import support

PROGRAM = "aibench_run_inference_torchserve"
MODELS = {"financialNet_NoReference": "torchFraudNetNoRef.pt", "financial": "torchFraudNetWithRef.pt"}
CANNOT_RUN = 77


def answers(model, *inputs):
    """The net's answers, row by row, as TorchServe asks it."""
    net = torch.jit.load(support.data_file("models/torch", MODELS[model])).eval()
    with torch.inference_mode():
        rows = [net(torch.from_numpy(row[0].copy())[None], *(torch.from_numpy(r.copy()) for r in row[1:]))
                for row in zip(*inputs)]
    return torch.cat(rows).numpy()


class TorchServe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)
        rows = cls.runs.rows
        cls.alone = cls.runs.answers("alone.bin", answers("financialNet_NoReference", rows["transaction"]))
        cls.both = cls.runs.answers("both.bin", answers("financial", rows["transaction"], rows["reference"]))
        folder, ports = cls.runs.folder, [support.free_port() for _ in range(5)]
        cls.host = f"127.0.0.1:{ports[0]}"
        store = os.path.join(folder, "store")
        os.mkdir(store)
        for model, file in MODELS.items():
            subprocess.run(["torch-model-archiver", "--model-name", model, "--version", "1.0", "--serialized-file",
                            support.data_file("models/torch", file), "--handler",
                            os.path.join(runs.SERVERS, "torchserve_handler.py"), "--export-path", store],
                           check=True, stdout=subprocess.DEVNULL, cwd=folder)
        with open(os.path.join(folder, "config.properties"), "w", encoding="ascii") as f:
            for name, port in zip(("inference_address", "management_address", "metrics_address"), ports):
                f.write(f"{name}=http://127.0.0.1:{port}\n")
            f.write(f"grpc_inference_port={ports[3]}\ngrpc_management_port={ports[4]}\n"
                    "default_workers_per_model=1\nmetrics_mode=prometheus\n")
        # Its pid file is in the folder of temporary files: one of our own, so that another one may run.
        cls.server = support.Server(
            ["torchserve", "--start", "--foreground", "--ncs", "--disable-token-auth", "--model-store", store,
             "--ts-config", "config.properties", "--models", *(f"{m}={m}.mar" for m in MODELS)],
            lambda s: all(support.has_worker(f"http://127.0.0.1:{ports[1]}/models/{m}") for m in MODELS),
            cwd=folder, env=dict(os.environ, TMPDIR=folder, OMP_NUM_THREADS="1"))
        cls.addClassCleanup(cls.server.stop)

    def each_transport(self, model, **how):
        for transport in ("lean", "curl"):
            with self.subTest(transport=transport):
                self.runs.run(PROGRAM, "-torchserve-host", self.host, "-torchserve-request-uri",
                              f"/predictions/{model}", "-transport", transport, "-timeout", "60s", **how)

    def test_rows_without_reference_data(self):
        self.each_transport("financialNet_NoReference", answers=self.alone)

    def test_rows_with_reference_data(self):
        self.each_transport("financial", answers=self.both, reference=True)


if __name__ == "__main__":
    if not shutil.which("java"):
        print("TorchServe needs a Java runtime: apt-get install default-jre-headless")
        sys.exit(CANNOT_RUN)
    unittest.main()
