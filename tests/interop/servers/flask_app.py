"""A plain REST server as many teams write it: Flask with TensorFlow inside, for Gunicorn. AIBENCH_SAVED_MODELS is the
folder of the SavedModels noreference and reference."""

import os

import numpy as np
import tensorflow as tf
from flask import Flask, request

FOLDER = os.environ["AIBENCH_SAVED_MODELS"]
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
loaded = {name: tf.saved_model.load(os.path.join(FOLDER, name, "00000001")) for name in ("noreference", "reference")}
app = Flask(__name__)


def run(tensors):
    """tensors: arrays by name. The net that takes them all answers."""
    signature = loaded["reference" if "reference" in tensors else "noreference"].signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    inputs = {}
    for name, spec in specs.items():
        shape = [-1 if d is None else d for d in spec.shape] if spec.shape.rank is not None else [-1]
        inputs[name] = tf.constant(tensors[name].reshape(shape))
    return {"outputs": next(iter(signature(**inputs).values())).numpy().tolist()}


@app.post("/v2/predict")
def predict_files():
    try:
        return run({name: np.frombuffer(f.read(), "<f4") for name, f in request.files.items()})
    except (KeyError, ValueError):
        return {"outputs": []}, 400


@app.post("/v1/predict")
def predict_json():
    try:
        body = request.get_json()
        return run({name: np.array(body[name], np.float32) for name in body["inputs"]})
    except (KeyError, TypeError, ValueError):
        return {"outputs": []}, 400
