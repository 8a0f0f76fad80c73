"""A real Triton, started by PyTriton, with the stand-in model: pytriton_server.py GRPC_PORT HTTP_PORT METRICS_PORT."""

import sys

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

import known_model


@batch
def alone(transaction):
    return [known_model.answer(transaction)]


@batch
def with_reference(transaction, reference):
    return [known_model.answer(transaction, reference)]


def main():
    ports = [int(a) for a in sys.argv[1:4]]
    config = TritonConfig(grpc_address="127.0.0.1", grpc_port=ports[0], http_address="127.0.0.1", http_port=ports[1],
                          metrics_port=ports[2])
    transaction = Tensor(name="transaction", dtype=np.float32, shape=(known_model.TRANSACTION,))
    reference = Tensor(name="reference", dtype=np.float32, shape=(known_model.REFERENCE,))
    with Triton(config=config) as triton:
        triton.bind(model_name="financialNet_NoReference", infer_func=alone, inputs=[transaction],
                    outputs=[Tensor(name="out", dtype=np.float32, shape=(2,))], config=ModelConfig(max_batch_size=16))
        triton.bind(model_name="financialNet", infer_func=with_reference, inputs=[transaction, reference],
                    outputs=[Tensor(name="output", dtype=np.float32, shape=(2,))],
                    config=ModelConfig(max_batch_size=16))
        triton.serve()


if __name__ == "__main__":
    main()
