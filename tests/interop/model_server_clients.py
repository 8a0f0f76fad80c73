#!/usr/bin/env python3
"""Drives the bundled model server with clients that we did not write: tritonclient (HTTP and gRPC) and requests.

Starts bin/aibench_model_server on free ports; not part of `make test`. Usage:

    tests/interop/model_server_clients.py [--server bin/aibench_model_server]

The models are those of AIBENCH_TEST_DATA (default ../shared/data). Exit status 1 if an answer is not what it should be.
Needs numpy, requests, tritonclient[http,grpc].
"""

import argparse
import os
import subprocess
import sys
import unittest

import numpy as np
import requests
import tritonclient.grpc
import tritonclient.http

DATA = os.environ.get("AIBENCH_TEST_DATA", "../shared/data")
MODELS = os.path.join(DATA, "models")
SAVED = os.path.join(MODELS, "savedmodel")
VISION = "mobilenet_v1_100_224_cpu"
VISION_OUTPUT = "MobilenetV1/Predictions/Reshape_1"
options = None


def photos(n):
    path = os.path.join(DATA, "golden", "mobilenet_v1", "inputs_u8_12x224x224x3.raw")
    pixels = np.fromfile(path, dtype=np.uint8).reshape(12, 224, 224, 3)[:n]
    return ((pixels.astype(np.float32) - 128) / 128).astype(np.float32)


def published_classes(n):
    path = os.path.join(DATA, "golden", "mobilenet_v1", "expected_f32_12x1001.raw")
    return np.fromfile(path, dtype=np.float32).reshape(12, 1001)[:n].argmax(axis=1)


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = {
            "financialNet": os.path.join(SAVED, "reference", "00000001"),
            "financialNet_NoReference": os.path.join(MODELS, "tensorflow", "creditcardfraud_noreference.pb"),
            VISION: os.path.join(MODELS, "tensorflow", "mobilenet_v1_1.0_224_frozen.pb"),
            "half_plus_two": os.path.join(SAVED, "saved_model_half_plus_two_cpu", "00000123"),
        }
        cls.process = subprocess.Popen(
            [options.server, "-model-repository", os.path.join(MODELS, "triton"), "-alias", "financial=financialNet"]
            + ["-model", ",".join(f"{name}={path}" for name, path in models.items())]
            + ["-grpc-port", "0", "-http-port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        cls.addClassCleanup(cls.stop_server)
        address = {}
        while len(address) < 2:
            words = cls.process.stdout.readline().split()
            if not words:
                raise RuntimeError("the server has ended")
            address[words[2]] = words[3]
        cls.grpc = tritonclient.grpc.InferenceServerClient(address["grpc"])
        cls.http = tritonclient.http.InferenceServerClient(address["http"])
        cls.addClassCleanup(cls.grpc.close)
        cls.addClassCleanup(cls.http.close)
        cls.url = "http://" + address["http"]

    @classmethod
    def stop_server(cls):
        cls.process.terminate()
        if cls.process.wait() != 0:
            raise RuntimeError("the server's exit status is not 0")

    def both(self):
        return ((tritonclient.http, self.http), (tritonclient.grpc, self.grpc))

    def test_triton_is_healthy_and_describes_its_models(self):
        for _, client in self.both():
            self.assertTrue(client.is_server_live())
            self.assertTrue(client.is_server_ready())
            self.assertTrue(client.is_model_ready("simple"))
            self.assertFalse(client.is_model_ready("nope"))
        self.assertEqual(self.http.get_model_metadata("simple")["inputs"][0]["shape"], [-1, 16])
        self.assertEqual(self.grpc.get_model_metadata("simple").inputs[0].datatype, "INT32")
        self.assertEqual(self.http.get_model_config("simple")["max_batch_size"], 8)
        self.assertIn("simple", [m["name"] for m in self.http.get_model_repository_index()])

    def test_triton_infers_in_json_and_binary(self):
        a = np.arange(16, dtype=np.int32).reshape(1, 16)
        b = np.full((1, 16), 3, dtype=np.int32)
        for module, client in self.both():
            for binary in (True, False) if module is tritonclient.http else (None,):
                words = {} if binary is None else {"binary_data": binary}
                inputs = [module.InferInput("INPUT0", [1, 16], "INT32"), module.InferInput("INPUT1", [1, 16], "INT32")]
                inputs[0].set_data_from_numpy(a, **words)
                inputs[1].set_data_from_numpy(b, **words)
                outputs = [module.InferRequestedOutput("OUTPUT1", **words)]
                result = client.infer("simple", inputs, outputs=outputs, request_id="7")
                np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), a - b)
                self.assertIsNone(result.as_numpy("OUTPUT0"))
                result = client.infer("simple", inputs)
                np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), a + b)

    def test_triton_errors_are_its_exceptions(self):
        for module, client in self.both():
            wrong = module.InferInput("INPUT0", [1, 16], "FP32")
            wrong.set_data_from_numpy(np.zeros((1, 16), dtype=np.float32))
            for model, inputs in (("nope", []), ("simple", []), ("simple", [wrong])):
                with self.assertRaises(tritonclient.utils.InferenceServerException):
                    client.infer(model, inputs)

    def test_triton_counts(self):
        before = self.http.get_inference_statistics("simple")["model_stats"][0]["inference_stats"]["success"]["count"]
        self.test_triton_infers_in_json_and_binary()
        after = self.grpc.get_inference_statistics("simple").model_stats[0].inference_stats.success.count
        self.assertEqual(after, before + 6)

    def test_photos_are_the_same_class_and_the_same_bits_everywhere(self):
        x = photos(4)
        answers = []
        for module, client in self.both():
            i = module.InferInput("input", list(x.shape), "FP32")
            i.set_data_from_numpy(x)
            answers.append(client.infer(VISION, [i]).as_numpy(VISION_OUTPUT))
        reply = requests.post(f"{self.url}/v1/models/{VISION}:predict", json={"instances": x.tolist()})
        answers.append(np.array(reply.json()["predictions"], dtype=np.float32))
        reply = requests.put(f"{self.url}/predictions/{VISION}", data=x.tobytes())
        answers.append(np.array(reply.json(), dtype=np.float32))
        reply = requests.post(f"{self.url}/v2/predict", files={"image": x.tobytes()})
        answers.append(np.array(reply.json()["outputs"], dtype=np.float32))
        for answer in answers:
            np.testing.assert_array_equal(answer, answers[0])
            np.testing.assert_array_equal(answer.argmax(axis=1), published_classes(4))

    def test_tensorflow_serving_answers_its_own_example(self):
        reply = requests.post(f"{self.url}/v1/models/half_plus_two:predict", json={"instances": [1.0, 2.0, 5.0]})
        self.assertEqual(reply.json(), {"predictions": [2.5, 3.0, 4.5]})
        status = requests.get(f"{self.url}/v1/models/financial").json()
        self.assertEqual(status["model_version_status"][0]["state"], "AVAILABLE")
        self.assertEqual(requests.post(f"{self.url}/v1/models/nope:predict", json={}).status_code, 404)

    def test_torchserve_and_rest_take_what_requests_sends(self):
        row = np.linspace(-1, 1, 30, dtype=np.float32)
        reference = np.zeros(256, dtype=np.float32)
        reply = requests.post(
            f"{self.url}/predictions/financial", json={"transaction": row.tolist(), "reference": reference.tolist()}
        )
        self.assertEqual(len(reply.json()["outputs"]), 2)
        files = {"transaction": row.tobytes(), "reference": reference.tobytes()}
        reply = requests.post(f"{self.url}/v2/predict", files=files)
        self.assertEqual(np.array(reply.json()["outputs"]).shape, (1, 2))
        reply = requests.post(f"{self.url}/v1/predict", json={"inputs": "x", "transaction": [row.tolist()]})
        self.assertAlmostEqual(sum(reply.json()["outputs"][0]), 1, places=5)
        self.assertEqual(requests.get(f"{self.url}/ping").json(), {"status": "Healthy"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="bin/aibench_model_server", help="program under test")
    options, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0]] + rest)
