"""What the scripts of this folder share: programs that are started on free ports and stopped, and the golden data."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.abspath(os.environ.get("AIBENCH_TEST_DATA", os.path.join(ROOT, "../shared/data")))
BIN = os.path.abspath(os.environ.get("AIBENCH_BIN", os.path.join(ROOT, "bin")))
NO_REFERENCE = os.path.join(DATA, "models/tensorflow/creditcardfraud_noreference.pb")
MOBILENET = os.path.join(DATA, "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb")
STOP_SECONDS = 20


def data_file(*names):
    return os.path.join(DATA, *names)


def program(name):
    return os.path.join(BIN, name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fraud_rows(n):
    """The first n transactions of the sample, and the probabilities that the net gives them: (n, 30) and (n, 2)."""
    rows = np.genfromtxt(data_file("creditcard/creditcard_sample.csv"), delimiter=",", skip_header=1, max_rows=n,
                         dtype=np.float64, usecols=range(30))
    golden = np.genfromtxt(data_file("golden/creditcardfraud_noreference_expected.csv"), delimiter=",", skip_header=1,
                           max_rows=n, dtype=np.float64)
    return rows.astype(np.float32), golden.astype(np.float32)


def photos(n):
    """The first n golden photos as MobileNet takes them, and its answers: (n, 224, 224, 3) and (n, 1001)."""
    pixels = np.fromfile(data_file("golden/mobilenet_v1/inputs_u8_12x224x224x3.raw"), np.uint8)
    answers = np.fromfile(data_file("golden/mobilenet_v1/expected_f32_12x1001.raw"), np.float32)
    pixels = pixels.reshape(-1, 224, 224, 3)[:n]
    return (pixels.astype(np.float32) - 128) / 128, answers.reshape(-1, 1001)[:n]


class Server:
    """A server process in a process group of its own, with what it prints in a file."""

    def __init__(self, command, ready, seconds=120, **popen):
        self.output = tempfile.NamedTemporaryFile(mode="w+", prefix="aibench-interop.", suffix=".log")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, start_new_session=True, **popen)
        end = time.monotonic() + seconds
        while not ready(self):
            if self.process.poll() is not None or time.monotonic() > end:
                text = self.text()
                self.stop()
                raise RuntimeError(f"{command[0]} did not start: {text[-2000:]}")
            time.sleep(0.05)

    def text(self):
        with open(self.output.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        """Asks it to end, then ends its whole group; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = self.process.wait()
        self.output.close()
        return status


def answers_on(port):
    """For Server: ready when a connection is taken."""
    def ready(_):
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex(("127.0.0.1", port)) == 0
    return ready


def answers_ok(url):
    """For Server: ready when a GET of url is answered with 200."""
    def ready(_):
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False
    return ready


def has_worker(url):
    """Whether TorchServe's description of a model at its management address says that a worker is ready."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return any(w["status"] == "READY" for w in json.load(reply)[0]["workers"])
    except OSError:
        return False


class ModelServer(Server):
    """aibench_model_server with these options; self.grpc and self.http are its host:port."""

    def __init__(self, *options):
        super().__init__([program("aibench_model_server"), "-grpc-port", "0", "-http-port", "0", *options],
                         lambda s: "listening on http" in s.text())
        found = dict(re.findall(r"listening on (grpc|http) (\S+)", self.text()))
        self.grpc, self.http = found["grpc"], found["http"]

    def end(self):
        """Stops it, and holds it to a good exit status."""
        status = self.stop()
        assert status == 0, f"the server's exit status is {status}"
