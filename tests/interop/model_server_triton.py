#!/usr/bin/env python3
"""Drives bin/aibench_model_server with Triton's own clients, over gRPC and HTTP (package tritonclient[grpc,http]).

Not part of `make test`: `make interop` runs it. The models are those of AIBENCH_TEST_DATA (default ../shared/data), the
programs those of AIBENCH_BIN (default bin).
"""

import unittest

import grpc
import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import support

ROWS = 200
FRAUD = "financialNet_NoReference"
MOBILENET = "mobilenet"
TIMEOUT = 60


def wire_type(array):
    return {"float32": "FP32", "int32": "INT32", "int8": "INT8"}[array.dtype.name]


def http_inputs(inputs, binary):
    made = []
    for name, value in inputs.items():
        one = triton_http.InferInput(name, list(value.shape), wire_type(value))
        one.set_data_from_numpy(value, binary_data=binary)
        made.append(one)
    return made


def grpc_inputs(inputs):
    made = []
    for name, value in inputs.items():
        one = triton_grpc.InferInput(name, list(value.shape), wire_type(value))
        one.set_data_from_numpy(value)
        made.append(one)
    return made


class Triton(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.ModelServer("-model-repository", support.data_file("models/triton"), "-model",
                                         f"{FRAUD}={support.NO_REFERENCE},{MOBILENET}={support.MOBILENET}",
                                         "-reload-interval", "0")
        cls.addClassCleanup(cls.server.end)
        cls.grpc = triton_grpc.InferenceServerClient(cls.server.grpc)
        cls.http = triton_http.InferenceServerClient(cls.server.http, network_timeout=TIMEOUT)
        cls.both = (cls.grpc, cls.http)
        cls.channel = grpc.insecure_channel(cls.server.grpc)
        for client in (*cls.both, cls.channel):
            cls.addClassCleanup(client.close)
        cls.stub = service_pb2_grpc.GRPCInferenceServiceStub(cls.channel)
        cls.rows, cls.golden = support.fraud_rows(ROWS)

    def infer_typed(self, model, inputs):
        """ModelInfer with typed contents in place of raw ones, as KServe's clients send them; the one raw answer."""
        request = service_pb2.ModelInferRequest(model_name=model, id="typed")
        for name, value in inputs.items():
            tensor = request.inputs.add(name=name, datatype=wire_type(value), shape=value.shape)
            field = tensor.contents.fp32_contents if value.dtype == np.float32 else tensor.contents.int_contents
            field.extend(value.ravel().tolist())
        reply = self.stub.ModelInfer(request, timeout=TIMEOUT)
        self.assertEqual(reply.id, "typed")
        return triton_grpc.InferResult(reply)

    def infer_every_way(self, model, inputs, output):
        """One array for each way to ask."""
        asked = [triton_http.InferRequestedOutput(output, binary_data=binary) for binary in (True, False)]
        results = [
            self.grpc.infer(model, grpc_inputs(inputs)),
            self.grpc.infer(model, grpc_inputs(inputs), outputs=[triton_grpc.InferRequestedOutput(output)]),
            self.infer_typed(model, inputs),
            self.http.infer(model, http_inputs(inputs, True)),
            self.http.infer(model, http_inputs(inputs, True), outputs=asked[:1]),
            self.http.infer(model, http_inputs(inputs, False), outputs=asked[1:]),
            self.http.infer(model, http_inputs(inputs, True), outputs=asked[1:], request_compression_algorithm=None),
        ]
        return [r.as_numpy(output) for r in results]

    def test_golden_rows_are_the_same_over_every_protocol(self):
        for row, golden in zip(self.rows, self.golden):
            first, *others = self.infer_every_way(FRAUD, {"transaction": row.reshape(1, 30)}, self.output(FRAUD))
            np.testing.assert_allclose(first, golden.reshape(1, 2), rtol=1e-5, atol=1e-7)
            for other in others:
                self.assertEqual(other.dtype, np.float32)
                np.testing.assert_array_equal(other, first)

    def output(self, model):
        return self.grpc.get_model_metadata(model, as_json=True)["outputs"][0]["name"]

    def test_golden_photos_are_classified(self):
        images, golden = support.photos(12)
        output = self.output(MOBILENET)
        for image, expected in zip(images, golden):
            got = self.grpc.infer(MOBILENET, grpc_inputs({"input": image[None]})).as_numpy(output)
            np.testing.assert_allclose(got[0], expected, atol=1e-5)
            http = self.http.infer(MOBILENET, http_inputs({"input": image[None]}, True)).as_numpy(output)
            np.testing.assert_array_equal(http, got)

    def test_repository_entries_add_and_subtract(self):
        for model, dtype in (("simple", np.int32), ("simple_int8", np.int8)):
            a = np.arange(16, dtype=dtype).reshape(1, 16)
            b = np.full((1, 16), 3, dtype)
            for output, want in (("OUTPUT0", a + b), ("OUTPUT1", a - b)):
                for got in self.infer_every_way(model, {"INPUT0": a, "INPUT1": b}, output):
                    self.assertEqual(got.dtype, dtype)
                    np.testing.assert_array_equal(got, want)

    def test_asynchronous_and_repeated_calls_answer_each_its_own(self):
        output = self.output(FRAUD)
        waiting = [self.http.async_infer(FRAUD, http_inputs({"transaction": row.reshape(1, 30)}, True))
                   for row in self.rows[:20]]
        for request, golden in zip(waiting, self.golden):
            np.testing.assert_allclose(request.get_result().as_numpy(output)[0], golden, rtol=1e-5, atol=1e-7)

    def test_health_and_readiness(self):
        for client in self.both:
            self.assertTrue(client.is_server_live())
            self.assertTrue(client.is_server_ready())
            self.assertTrue(client.is_model_ready("simple"))
            self.assertTrue(client.is_model_ready("simple", "1"))
            self.assertFalse(client.is_model_ready("simple", "9"))
            self.assertFalse(client.is_model_ready("nobody"))

    def test_metadata(self):
        for server in (self.grpc.get_server_metadata(as_json=True), self.http.get_server_metadata()):
            self.assertTrue(server["name"])
            self.assertTrue(server["version"])
        for model in (self.grpc.get_model_metadata("simple", as_json=True), self.http.get_model_metadata("simple")):
            self.assertEqual((model["name"], model["versions"]), ("simple", ["1"]))
            self.assertEqual([t["name"] for t in model["inputs"]], ["INPUT0", "INPUT1"])
            self.assertEqual([t["name"] for t in model["outputs"]], ["OUTPUT0", "OUTPUT1"])
            self.assertEqual(model["inputs"][0]["datatype"], "INT32")
            self.assertEqual([int(d) for d in model["inputs"][0]["shape"]], [-1, 16])

    def test_configuration_and_index(self):
        config = self.http.get_model_config("simple")
        self.assertEqual((config["name"], config["max_batch_size"]), ("simple", 8))
        index = self.http.get_model_repository_index()
        self.assertIn(("simple", "1", "READY"), [(m["name"], m["version"], m["state"]) for m in index])
        config = self.grpc.get_model_config("simple").config
        self.assertEqual((config.name, config.max_batch_size), ("simple", 8))
        self.assertEqual([list(i.dims) for i in config.input], [[16], [16]])
        index = self.grpc.get_model_repository_index().models
        self.assertIn(("simple", "1", "READY"), [(m.name, m.version, m.state) for m in index])

    def test_statistics_count_each_request_once(self):
        def counted():
            over_grpc = self.grpc.get_inference_statistics("simple_int8", as_json=True)["model_stats"][0]
            over_http = self.http.get_inference_statistics("simple_int8")["model_stats"][0]
            for s in (over_grpc, over_http):
                self.assertEqual((s["name"], s["version"]), ("simple_int8", "1"))
                self.assertIn("compute_infer", s["inference_stats"])
            counts = [int(s["inference_stats"]["success"].get("count", 0)) for s in (over_grpc, over_http)]
            self.assertEqual(counts[0], counts[1])
            self.assertEqual(int(over_grpc.get("inference_count", 0)), int(over_http["inference_count"]))
            return counts[0], int(over_http["inference_count"])

        requests, inferences = counted()
        a = np.zeros((3, 16), np.int8)
        for _ in range(5):
            self.grpc.infer("simple_int8", grpc_inputs({"INPUT0": a, "INPUT1": a}))
        self.assertEqual(counted(), (requests + 5, inferences + 15))

    def test_wrong_requests_are_refused_with_words(self):
        a = np.zeros((1, 16), np.int32)
        right = {"INPUT0": a, "INPUT1": a}
        cases = (
            ("nobody", right, "", "NOT_FOUND", "404", "unknown model"),
            ("simple", right, "9", "NOT_FOUND", "404", "unknown|version"),
            ("simple", {"INPUT0": a}, "", "INVALID_ARGUMENT", "400", "expected 2 inputs but got 1"),
            ("simple", {"INPUT0": a, "OTHER": a}, "", "INVALID_ARGUMENT", "400", "OTHER"),
            ("simple", {"INPUT0": a, "INPUT1": a.astype(np.float32)}, "", "INVALID_ARGUMENT", "400", "INT32"),
            ("simple", {"INPUT0": a, "INPUT1": a[:, :15]}, "", "INVALID_ARGUMENT", "400", "unexpected shape"),
            ("simple", {n: np.zeros((9, 16), np.int32) for n in right}, "", "INVALID_ARGUMENT", "400", "batch-size"),
            ("simple", {"INPUT0": np.zeros((2, 16), np.int32), "INPUT1": a}, "", "INVALID_ARGUMENT", "400",
             "batch size does not match"),
            ("simple", {n: a[0] for n in right}, "", "INVALID_ARGUMENT", "400", "unexpected shape"),
        )
        for model, inputs, version, code, status, words in cases:
            with self.assertRaisesRegex(InferenceServerException, f"(?i){words}") as caught:
                self.grpc.infer(model, grpc_inputs(inputs), version)
            self.assertIn(code, caught.exception.status())
            for binary in (True, False):
                with self.assertRaisesRegex(InferenceServerException, f"(?i){words}") as caught:
                    self.http.infer(model, http_inputs(inputs, binary), version)
                self.assertEqual(caught.exception.status(), status)
        for client, output in ((self.grpc, triton_grpc.InferRequestedOutput("Z")),
                               (self.http, triton_http.InferRequestedOutput("Z"))):
            made = grpc_inputs(right) if client is self.grpc else http_inputs(right, True)
            with self.assertRaisesRegex(InferenceServerException, "Z"):
                client.infer("simple", made, outputs=[output])
        for client, module in ((self.grpc, triton_grpc), (self.http, triton_http)):
            made = grpc_inputs(right) if client is self.grpc else http_inputs(right, True)
            with self.assertRaisesRegex(InferenceServerException, "classification is not supported"):
                client.infer("simple", made, outputs=[module.InferRequestedOutput("OUTPUT0", class_count=2)])
            made[0].set_shared_memory("region", 64)
            with self.assertRaisesRegex(InferenceServerException, "shared memory is not supported"):
                client.infer("simple", made)
        self.assertEqual(self.grpc.infer("simple", grpc_inputs(right)).as_numpy("OUTPUT0").sum(), 0)

    def test_raw_bytes_are_the_only_input(self):
        output = self.output(FRAUD)
        for row, golden in zip(self.rows[:20], self.golden):
            raw = row.astype(np.float32).tobytes()
            reply = self.http._post(f"v2/models/{FRAUD}/infer", raw, {"Inference-Header-Content-Length": "0"}, None)
            self.assertEqual(reply.status_code, 200)
            got = triton_http.InferResult(reply, False).as_numpy(output)
            np.testing.assert_allclose(got[0], golden, rtol=1e-5, atol=1e-7)


if __name__ == "__main__":
    unittest.main()
