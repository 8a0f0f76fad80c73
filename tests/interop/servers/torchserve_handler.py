"""TorchServe's handler of the fraud nets, as docs/servers/torchserve.md has it."""

import torch
from ts.torch_handler.base_handler import BaseHandler


class FraudHandler(BaseHandler):
    def preprocess(self, data):
        body = data[0].get("body") or data[0].get("data")
        inputs = [torch.tensor([body["transaction"]])]
        if "reference" in body:
            inputs.append(torch.tensor(body["reference"]))
        return inputs

    def inference(self, data, *args, **kwargs):
        with torch.inference_mode():
            return self.model(*data)

    def postprocess(self, data):
        return [{"outputs": data.reshape(-1).tolist()}]
