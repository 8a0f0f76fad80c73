#!/usr/bin/env python3
"""aibench_run_inference_triton against a real Triton, which PyTriton brings (servers/pytriton_server.py).

Not part of `make test`: `make interop` runs it. It needs nvidia-pytriton.
"""

import os
import sys
import sysconfig
import unittest

import runs
import support
import known_model

PROGRAM = "aibench_run_inference_triton"


class RealTriton(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = runs.Runs()
        cls.addClassCleanup(cls.runs.close)
        rows = cls.runs.rows
        cls.alone = cls.runs.answers("alone.bin", known_model.answer(rows["transaction"]))
        cls.both = cls.runs.answers("both.bin", known_model.answer(rows["transaction"], rows["reference"]))
        ports = [support.free_port() for _ in range(3)]
        cls.hosts = [f"127.0.0.1:{port}" for port in ports[:2]]
        # Triton's Python backend loads libpython by name: the one of this interpreter, and not another of the system.
        libraries = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
        environment = dict(os.environ, LD_LIBRARY_PATH=":".join(filter(None, libraries)))
        cls.server = support.Server([sys.executable, os.path.join(runs.SERVERS, "pytriton_server.py"), *map(str, ports)],
                                    support.answers_ok(f"http://{cls.hosts[1]}/v2/models/financialNet/ready"), cwd=cls.runs.folder, env=environment)
        cls.addClassCleanup(cls.server.stop)

    def each_way(self, **how):
        for host, protocol, transports in zip(self.hosts, ("grpc", "http"), (("lean", "grpc-core"), ("lean", "curl"))):
            for transport in transports:
                with self.subTest(protocol=protocol, transport=transport):
                    self.runs.run(PROGRAM, "-host", host, "-protocol", protocol, "-transport", transport, "-timeout",
                                  "60s", **how)

    def test_rows_without_reference_data(self):
        self.each_way(answers=self.alone)

    def test_rows_with_reference_data(self):
        self.each_way(answers=self.both, reference=True)


if __name__ == "__main__":
    unittest.main()
