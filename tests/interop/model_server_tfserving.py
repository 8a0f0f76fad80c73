#!/usr/bin/env python3
"""Drives bin/aibench_model_server with TensorFlow Serving's own stubs (package tensorflow-serving-api) and its REST API.

Not part of `make test`: `make interop` runs it. It needs tensorflow-cpu, tensorflow-serving-api and requests; the models
are those of AIBENCH_TEST_DATA (default ../shared/data), the programs those of AIBENCH_BIN (default bin).
"""

import unittest

import grpc
import numpy as np
import requests
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (get_model_metadata_pb2, get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc)

import support

ROWS = 200
FRAUD = "financialNet_NoReference"
MOBILENET = "mobilenet"
HALF = "saved_model_half_plus_two_cpu"
TIMEOUT = 60


def values_proto(array):
    """The tensor in its type's own field, as clients write it that do not use tf.make_tensor_proto."""
    proto = tf.make_tensor_proto(array.ravel()[:0], shape=[0], dtype=tf.as_dtype(array.dtype))
    proto.ClearField("tensor_content")
    proto.tensor_shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    proto.float_val.extend(array.ravel().tolist())
    return proto


class TensorFlowServing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.ModelServer(
            "-model-repository", support.data_file("models/savedmodel"),
            "-model", f"{FRAUD}={support.NO_REFERENCE},{MOBILENET}={support.MOBILENET}",
            "-label", "reference:old=1,reference:new=2", "-reload-interval", "0")
        cls.addClassCleanup(cls.server.end)
        cls.channel = grpc.insecure_channel(cls.server.grpc, [("grpc.max_receive_message_length", 64 << 20)])
        cls.addClassCleanup(cls.channel.close)
        cls.predictions = prediction_service_pb2_grpc.PredictionServiceStub(cls.channel)
        cls.models = model_service_pb2_grpc.ModelServiceStub(cls.channel)
        cls.url = f"http://{cls.server.http}/v1/models/"
        cls.rows, cls.golden = support.fraud_rows(ROWS)

    def request(self, model, inputs, **spec):
        request = predict_pb2.PredictRequest(output_filter=spec.pop("output_filter", []))
        request.model_spec.name = model
        request.model_spec.signature_name = spec.get("signature", "")
        if "version" in spec:
            request.model_spec.version.value = spec["version"]
        if "label" in spec:
            request.model_spec.version_label = spec["label"]
        for name, value in inputs.items():
            proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
            request.inputs[name].CopyFrom(proto)
        return request

    def predict(self, model, inputs, **spec):
        """The answer's tensors by name, and the version that gave them."""
        reply = self.predictions.Predict(self.request(model, inputs, **spec), TIMEOUT)
        self.assertEqual(reply.model_spec.name, model)
        return {k: tf.make_ndarray(v) for k, v in reply.outputs.items()}, reply.model_spec.version.value

    def only(self, outputs):
        self.assertEqual(len(outputs), 1)
        return next(iter(outputs.values()))

    def post(self, path, body, status=200):
        reply = requests.post(self.url + path, json=body, timeout=TIMEOUT)
        self.assertEqual(reply.status_code, status, reply.text)
        return reply.json()

    def get(self, path, status=200):
        reply = requests.get(self.url + path, timeout=TIMEOUT)
        self.assertEqual(reply.status_code, status, reply.text)
        return reply.json()

    def refused(self, code, words, request, call=None):
        with self.assertRaises(grpc.RpcError) as caught:
            (call or self.predictions.Predict)(request, TIMEOUT)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        self.assertRegex(caught.exception.details(), words)

    def test_golden_rows_are_the_same_over_every_protocol(self):
        for row, golden in zip(self.rows, self.golden):
            row = row.reshape(1, 30)
            content = self.only(self.predict(FRAUD, {"transaction": row})[0])
            typed = self.only(self.predict(FRAUD, {"transaction": values_proto(row)})[0])
            columns = self.post(f"{FRAUD}:predict", {"inputs": {"transaction": row.tolist()}})["outputs"]
            lines = self.post(f"{FRAUD}:predict", {"instances": row.tolist()})["predictions"]
            np.testing.assert_allclose(content, golden.reshape(1, 2), rtol=1e-5, atol=1e-7)
            for other in (typed, columns, lines):
                np.testing.assert_array_equal(np.array(other, np.float32), content)

    def test_golden_photos_are_classified(self):
        images, golden = support.photos(12)
        for image, expected in zip(images, golden):
            got = self.only(self.predict(MOBILENET, {"input": image[None]})[0])
            np.testing.assert_allclose(got[0], expected, atol=1e-5)
        together = self.only(self.predict(MOBILENET, {"input": images[:4]})[0])
        np.testing.assert_allclose(together, golden[:4], atol=1e-5)

    def test_saved_models_answer_as_tensorflow_does(self):
        for name, version in (("noreference", 1), ("reference", 2)):
            loaded = tf.saved_model.load(support.data_file("models/savedmodel", name, f"{version:08d}"))
            signature = loaded.signatures["serving_default"]
            spec = signature.structured_input_signature[1]
            random = np.random.default_rng(7)
            inputs = {k: random.standard_normal([d or 1 for d in v.shape], np.float32) for k, v in spec.items()}
            got, served = self.predict(name, inputs)
            self.assertEqual(served, version)
            want = {k: v.numpy() for k, v in signature(**{k: tf.constant(v) for k, v in inputs.items()}).items()}
            self.assertEqual(sorted(got), sorted(want))
            if name == "noreference":
                for output, value in want.items():
                    np.testing.assert_allclose(got[output], value, rtol=1e-5, atol=1e-6)

    def test_half_plus_two_in_rows_and_columns(self):
        x = np.array([1.0, 2.0, 5.0], np.float32)
        got, version = self.predict(HALF, {"x": x.reshape(3, 1)})
        np.testing.assert_array_equal(got["y"].ravel(), x / 2 + 2)
        self.assertEqual(version, 123)
        self.assertEqual(self.post(f"{HALF}:predict", {"instances": [1.0, 2.0, 5.0]})["predictions"], [2.5, 3.0, 4.5])
        self.assertEqual(self.post(f"{HALF}/versions/123:predict", {"instances": [{"x": 1.0}]})["predictions"], [2.5])
        self.assertEqual(self.post(f"{HALF}:predict", {"inputs": [1.0, 2.0]})["outputs"], [2.5, 3.0])

    def test_versions_and_labels_choose(self):
        spec = tf.saved_model.load(support.data_file("models/savedmodel/reference/00000002"))
        shapes = spec.signatures["serving_default"].structured_input_signature[1]
        inputs = {k: np.zeros([d or 1 for d in v.shape], np.float32) for k, v in shapes.items()}
        self.assertEqual(self.predict("reference", inputs)[1], 2)
        self.assertEqual(self.predict("reference", inputs, label="new")[1], 2)
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "Unrecognized servable version label: missing",
                     self.request("reference", inputs, label="missing"))
        self.refused(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Specific.reference, 9.",
                     self.request("reference", inputs, version=9))
        self.assertEqual(self.get("reference/labels/old")["model_version_status"][0]["version"], "1")

    def test_output_filter_chooses_and_refuses(self):
        inputs = {"x": np.array([[4.0]], np.float32)}
        self.assertEqual(list(self.predict(HALF, inputs, output_filter=["y"])[0]), ["y"])
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "output tensor alias not found in signature: z",
                     self.request(HALF, inputs, output_filter=["z"]))

    def test_wrong_requests_have_the_real_servers_codes(self):
        right = {"x": np.array([[4.0]], np.float32)}
        self.refused(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest.nobody.",
                     self.request("nobody", right))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "Missing ModelSpec", self.request("", right))
        self.refused(grpc.StatusCode.FAILED_PRECONDITION, 'Serving signature name: "other" not found in signature def',
                     self.request(HALF, right, signature="other"))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "z", self.request(HALF, {"z": right["x"]}))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "x", self.request(HALF, {}))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "to be float but int32 is provided",
                     self.request(HALF, {"x": np.array([[4]], np.int32)}))
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "transaction",
                     self.request(FRAUD, {"transaction": np.zeros((1, 29), np.float32)}))
        lying = tf.make_tensor_proto(right["x"])
        lying.tensor_shape.dim[0].size = 2
        lying.tensor_content = b"\0" * 3
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "shape does not suit its content",
                     self.request(HALF, {"x": lying}))
        np.testing.assert_array_equal(self.predict(HALF, right)[0]["y"], [[4.0]])  # and is unharmed

    def test_wrong_rest_requests_have_the_real_servers_codes(self):
        self.assertRegex(self.post("nobody:predict", {"instances": [1.0]}, 404)["error"], "not found")
        self.assertRegex(self.post(f"{HALF}/versions/9:predict", {"instances": [1.0]}, 404)["error"], "not found")
        self.assertRegex(self.post(f"{HALF}:predict", {}, 400)["error"], "Missing 'inputs' or 'instances' key")
        for body in ({"instances": ["a"]}, {"instances": [[1.0], [1.0, 2.0]]}, {"inputs": {"z": [1.0]}},
                     {"signature_name": "other", "instances": [1.0]}):
            self.assertTrue(self.post(f"{HALF}:predict", body, 400)["error"])
        self.assertTrue(self.get("nobody", 404)["error"])
        self.assertEqual(self.get("reference/versions/9", 404)["error"], "Could not find version 9 of model reference")
        self.assertRegex(self.get("reference/labels/missing", 400)["error"], "Unrecognized servable version label")
        for path in (f"{HALF}:classify", f"{HALF}/versions/abc:predict", HALF):
            self.assertEqual(self.post(path, {}, 400)["error"], f"Malformed request: POST /v1/models/{path}")

    def test_metadata_parses_as_a_signature(self):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = HALF
        reply = self.predictions.GetModelMetadata(request, TIMEOUT)
        self.assertEqual((reply.model_spec.name, reply.model_spec.version.value), (HALF, 123))
        signatures = get_model_metadata_pb2.SignatureDefMap()
        self.assertTrue(reply.metadata["signature_def"].Unpack(signatures))
        served = signatures.signature_def["serving_default"]
        self.assertEqual(served.method_name, "tensorflow/serving/predict")
        self.assertEqual((list(served.inputs), list(served.outputs)), (["x"], ["y"]))
        self.assertEqual(served.inputs["x"].dtype, tf.float32.as_datatype_enum)
        rest = self.get(f"{HALF}/metadata")
        self.assertEqual(rest["model_spec"]["name"], HALF)
        signature = rest["metadata"]["signature_def"]["signature_def"]["serving_default"]
        self.assertEqual(signature["inputs"]["x"]["dtype"], "DT_FLOAT")
        del request.metadata_field[:]
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, "at least one metadata_field", request,
                     self.predictions.GetModelMetadata)

    def test_status_lists_the_versions(self):
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "reference"
        reply = self.models.GetModelStatus(request, TIMEOUT)
        self.assertEqual([(v.version, v.state) for v in reply.model_version_status], [(2, available), (1, available)])
        request.model_spec.version.value = 1
        reply = self.models.GetModelStatus(request, TIMEOUT)
        self.assertEqual([v.version for v in reply.model_version_status], [1])
        request.model_spec.name = "nobody"
        self.refused(grpc.StatusCode.NOT_FOUND, "Could not find", request, self.models.GetModelStatus)
        states = self.get("reference")["model_version_status"]
        self.assertEqual([(v["version"], v["state"], v["status"]["error_code"]) for v in states],
                         [("2", "AVAILABLE", "OK"), ("1", "AVAILABLE", "OK")])


if __name__ == "__main__":
    unittest.main()
