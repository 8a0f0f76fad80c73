"""Our runners against servers that others wrote: a dataset, its right answers, reference data in Redis, and runs."""

import os
import re
import subprocess
import sys
import tempfile

import numpy as np

import support

ROWS = 400
SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "servers")
sys.path.insert(0, SERVERS)
ROW = np.dtype([("id", "<u8"), ("transaction", "<f4", 30), ("reference", "<f4", 256)])  # workloads/fraud.h


class Runs:
    """A folder with the first ROWS of the sample as our generator writes them, and a Redis with their reference data."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="aibench-interop.")  # goes also where the rest here fails
        self.folder = self.temporary.name
        self.data = os.path.join(self.folder, "fraud.dat")
        self.redis = None
        self.quietly("aibench_generate_data", "-input-file", support.data_file("creditcard/creditcard_sample.csv"),
                     "-max-transactions", str(ROWS), "-output-file", self.data)
        self.rows = np.fromfile(self.data, ROW)

    def close(self):
        if self.redis:
            self.redis.stop()
        self.temporary.cleanup()

    def quietly(self, name, *options):
        done = subprocess.run([support.program(name), *options], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, check=False)
        assert done.returncode == 0, f"{name} {' '.join(options)}: {done.stdout[-3000:]}"
        return done.stdout

    def redis_host(self):
        """host:port of the Redis with the reference data; starts it."""
        if not self.redis:
            port = support.free_port()
            self.redis = support.Server(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                         "--dir", self.folder], support.answers_on(port))
            self.host = f"127.0.0.1:{port}"
            self.quietly("aibench_load_data", "-file", self.data, "-redis-host", self.host, "-set-tensor=false")
        return self.host

    def answers(self, name, values):
        """Writes the right answers; the file."""
        path = os.path.join(self.folder, name)
        np.asarray(values, "<f4").tofile(path)
        return path

    def run(self, name, *options, answers=None, reference=False):
        """One run, of which every answer must be right."""
        command = ["-file", self.data, "-workers", "4", *options]
        if answers:
            command += ["-expected-answers", answers, "-tolerance", "1e-5"]
        if reference:
            command += ["-enable-reference-data-redis", "-redis-host", self.redis_host()]
        said = self.quietly(name, *command)
        outcomes = re.search(r"^Outcomes: .*$", said, re.MULTILINE)
        right = f"Outcomes: {ROWS} right, 0 wrong, 0 errors, 0 timeouts"
        assert outcomes and outcomes.group().startswith(right), said[-3000:]
