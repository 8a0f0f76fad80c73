#!/usr/bin/env python3
"""Drives the bundled server with RedisAI's own Python client (package redisai), every call of it.

Starts a redis-server with bin/redisai.so on a Unix socket; not part of `make test`. Usage:

    tests/interop/redisai_client.py [--module bin/redisai.so] [--backend build/release/tests/servers/redisai/backend/torch.so]

The models are those of AIBENCH_TEST_DATA (default ../shared/data). Exit status 1 if an answer is not what it should be.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import numpy as np
import redis
import redisai

DATA = os.environ.get("AIBENCH_TEST_DATA", "../shared/data")
FRAUD = "models/tensorflow/creditcardfraud_noreference.pb"
SCRIPT = "def sum(tensors, keys, args): sum\ndef words(tensors, keys, args): words"
options = None


def model_file(name):
    with open(os.path.join(DATA, name), "rb") as f:
        return f.read()


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="aibench-interop.")
        cls.addClassCleanup(cls.folder.cleanup)
        socket = os.path.join(cls.folder.name, "redis.sock")
        cls.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", cls.folder.name]
            + ["--loadmodule", os.path.abspath(options.module), "TORCH", os.path.abspath(options.backend)],
            stdout=subprocess.DEVNULL,
        )
        cls.addClassCleanup(cls.stop_server)
        for _ in range(400):
            if os.path.exists(socket):
                break
            time.sleep(0.025)
        cls.con = redisai.Client(unix_socket_path=socket)
        cls.addClassCleanup(cls.con.close)

    @classmethod
    def stop_server(cls):
        cls.server.terminate()
        cls.server.wait()

    def setUp(self):
        self.con.flushall()

    def test_tensors_of_every_type_come_back(self):
        for dtype in (np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.bool_):
            value = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
            self.assertEqual(self.con.tensorset("t", value), "OK")
            back = self.con.tensorget("t")
            self.assertEqual(back.dtype, value.dtype)
            np.testing.assert_array_equal(back, value)
        self.con.tensorset("s", np.array([["ab", "c"], ["", "def"]]))
        np.testing.assert_array_equal(self.con.tensorget("s"), [["ab", "c"], ["", "def"]])
        self.con.tensorset("v", [2.5, 3], dtype="float")
        self.assertEqual(self.con.tensorget("v", as_numpy=False)["values"], [2.5, 3.0])
        self.assertEqual(self.con.tensorget("v", meta_only=True), {"dtype": "FLOAT", "shape": [2]})
        with self.assertRaisesRegex(redis.ResponseError, "tensor key is empty or in a different shard"):
            self.con.tensorget("nothing")

    def test_models_of_every_backend_run(self):
        row = np.linspace(-1, 1, 30, dtype=np.float32).reshape(1, 30)
        self.con.modelstore("f", "TF", "CPU", model_file(FRAUD), batch=4, minbatch=1, minbatchtimeout=10, tag="v:1",
                            inputs=["transaction"], outputs=["out"])
        self.con.tensorset("x", row)
        self.assertEqual(self.con.modelexecute("f", ["x"], ["y"], timeout=10000), "OK")
        y = self.con.tensorget("y")
        self.assertEqual(y.shape, (1, 2))
        self.assertAlmostEqual(float(y.sum()), 1, places=5)

        meta = self.con.modelget("f", meta_only=True)
        self.assertEqual(
            meta,
            {"backend": "TF", "device": "CPU", "tag": "v:1", "batchsize": 4, "minbatchsize": 1,
             "inputs": ["transaction"], "outputs": ["out"], "minbatchtimeout": 10})
        self.assertEqual(self.con.modelget("f")["blob"], model_file(FRAUD))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the calls of the older generation say that they are
            self.con.modelset("o", "TF", "CPU", model_file(FRAUD), inputs=["transaction"], outputs=["out"])
            self.con.modelrun("o", ["x"], ["z"])
            self.assertEqual(sorted(self.con.modelscan()), [["f", "v:1"], ["o", ""]])
        np.testing.assert_array_equal(self.con.tensorget("z"), y)

        self.con.modelstore("mnist", "ONNX", "CPU", model_file("models/onnx/mnist.onnx"))
        self.con.tensorset("digit", np.frombuffer(model_file("golden/mnist_one.raw"), np.float32).reshape(1, 1, 28, 28))
        self.con.modelexecute("mnist", ["digit"], ["class"])
        self.assertEqual(int(self.con.tensorget("class").argmax()), 1)

        self.con.modelstore("lite", "TFLITE", "CPU", model_file("models/tflite/mlperf_tiny_resnet8.tflite"))
        self.con.tensorset("image", np.zeros((1, 32, 32, 3), np.float32))
        self.con.modelexecute("lite", ["image"], ["classes"])
        self.assertEqual(self.con.tensorget("classes").shape, (1, 10))

        self.con.modelstore("twice", "TORCH", "CPU", b"double")
        self.con.modelexecute("twice", ["x"], ["y2"])
        np.testing.assert_array_equal(self.con.tensorget("y2"), 2 * row)

        self.assertEqual(self.con.modeldel("f"), "OK")
        with self.assertRaisesRegex(redis.ResponseError, "model key is empty"):
            self.con.modelget("f")

    def test_statistics_are_counted_and_reset(self):
        self.con.modelstore("f", "TF", "CPU", model_file(FRAUD), inputs=["transaction"], outputs=["out"], tag="t")
        self.con.tensorset("x", np.zeros((3, 30), np.float32))
        for _ in range(5):
            self.con.modelexecute("f", ["x"], ["y"])
        info = self.con.infoget("f")
        self.assertEqual((info["key"], info["type"], info["backend"], info["tag"]), ("f", "MODEL", "TF", "t"))
        self.assertEqual((info["samples"], info["calls"], info["errors"]), (15, 5, 0))
        self.assertEqual(self.con.inforeset("f"), "OK")
        self.assertEqual(self.con.infoget("f")["calls"], 0)

    def test_dags_run(self):
        row = np.zeros((1, 30), np.float32)
        self.con.modelstore("f", "TF", "CPU", model_file(FRAUD), inputs=["transaction"], outputs=["out"])
        self.con.tensorset("x", row)
        dag = self.con.dag(load=["x"], persist=["y"], timeout=10000)
        dag.modelexecute("f", ["x"], ["y"]).tensorget("y")
        status, y = dag.execute()
        self.assertEqual(status, "OK")
        np.testing.assert_array_equal(self.con.tensorget("y"), y)
        dag = self.con.dag(routing="x", readonly=True)
        dag.tensorset("v", row).modelexecute("f", ["v"], ["w"]).tensorget("w")
        np.testing.assert_array_equal(dag.execute()[2], y)

    def test_scripts_are_stored_and_run(self):
        self.con.scriptstore("s", "CPU", SCRIPT, entry_points=["sum", "words"], tag="t")
        self.assertEqual(self.con.scriptget("s"),
                         {"device": "CPU", "tag": "t", "entry points": [b"sum", b"words"], "source": SCRIPT})
        self.con.tensorset("a", [1, 2], dtype="float")
        self.con.tensorset("b", [10, 20], dtype="float")
        self.assertEqual(self.con.scriptexecute("s", "sum", inputs=["a", "b"], outputs=["c"]), "OK")
        np.testing.assert_array_equal(self.con.tensorget("c"), [11, 22])
        self.con.scriptexecute("s", "words", keys=["k"], args=["1", "two"], outputs=["w"])
        np.testing.assert_array_equal(self.con.tensorget("w"), ["k", "1", "two"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.con.scriptset("old", "CPU", SCRIPT)
            self.con.scriptrun("old", "sum", inputs=["a", "$", "b", "b"], outputs=["c"])
            np.testing.assert_array_equal(self.con.tensorget("c"), [21, 42])
            self.assertEqual(sorted(self.con.scriptscan()), [["old", ""], ["s", "t"]])
        self.assertEqual(self.con.scriptdel("s"), "OK")
        with self.assertRaisesRegex(redis.ResponseError, "script key is empty"):
            self.con.scriptget("s")

    def test_configuration_is_read_and_set(self):
        self.assertEqual(self.con.config("MODEL_CHUNK_SIZE"), 535822336)
        self.assertEqual(self.con.config("MODEL_CHUNK_SIZE", 100), "OK")
        self.con.modelstore("f", "TF", "CPU", model_file(FRAUD), inputs=["transaction"], outputs=["out"])
        chunks = self.con.modelget("f")["blob"]
        self.assertEqual(b"".join(chunks) if isinstance(chunks, list) else chunks, model_file(FRAUD))
        self.con.config("MODEL_CHUNK_SIZE", 535822336)
        self.assertEqual(self.con.config("BACKENDSPATH", "/nowhere"), "OK")
        self.assertEqual(self.con.config("BACKENDSPATH"), "/nowhere")
        self.assertEqual(self.con.loadbackend("TF", "redisai_tensorflow/redisai_tensorflow.so"), "OK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", default="bin/redisai.so")
    parser.add_argument("--backend", default="build/release/tests/servers/redisai/backend/torch.so")
    options, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0]] + rest)
