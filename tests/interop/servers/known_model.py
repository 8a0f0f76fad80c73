"""A stand-in for a fraud net: probabilities that depend on every value of the row and on its place."""

import numpy as np

TRANSACTION, REFERENCE = 30, 256


def answer(transaction, reference=None):
    """(n, 30) and (256,), (n, 256) or None; (n, 2) float32."""
    weights = np.sin(np.arange(1, TRANSACTION + 1)) / 4
    z = np.asarray(transaction, np.float64).reshape(-1, TRANSACTION)
    # Time and Amount are large: they are brought down, and still count.
    sum_ = np.tanh(z / 100) @ weights * 8
    if reference is not None:
        sum_ = sum_ + np.asarray(reference, np.float64).reshape(-1, REFERENCE) @ np.cos(np.arange(REFERENCE)) / 4
    p = 1 / (1 + np.exp(-sum_))
    return np.stack([p, 1 - p], axis=1).astype(np.float32)
