"""MLServer's runtime of the stand-in model, with reference data if it is sent."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

import known_model


class KnownModel(MLModel):
    async def predict(self, payload):
        inputs = {i.name: np.asarray(NumpyCodec.decode_input(i)) for i in payload.inputs}
        p = known_model.answer(inputs["transaction"], inputs.get("reference"))
        name = "output" if "reference" in inputs else "out"
        return InferenceResponse(model_name=self.name, model_version=self.version,
                                 outputs=[NumpyCodec.encode_output(name, p)])
