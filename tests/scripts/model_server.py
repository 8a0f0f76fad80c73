"""A model server for tests of the scripts: the HTTP protocols, the same answer to everything. Prints its port."""

import json
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = (0.25, 0.75)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one write: the second of two would wait for a delayed acknowledgement, 40 ms a request.
    wbufsize = -1

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/v1/models/"):
            body = {"model_version_status": [{"version": "2", "state": "AVAILABLE", "status": {}}]}
            self.answer(json.dumps(body).encode())
        elif self.path == "/ping" or self.path.endswith("/ready"):
            self.answer(b"{}")
        else:
            self.answer(b'{"error":"no such path"}', 404)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/infer"):
            output = {"name": "MobilenetV1/Predictions/Reshape_1", "datatype": "FP32", "shape": [1, 2],
                      "parameters": {"binary_data_size": 8}}
            head = json.dumps({"outputs": [output]}).encode()
            self.answer(head + struct.pack("<2f", *ANSWER), headers=[("Inference-Header-Content-Length", len(head))])
        elif self.path.startswith("/predictions/no") or self.path.startswith("/v1/models/no"):
            self.answer(b'{"code":404,"type":"ModelNotFoundException","message":"Model not found: no"}', 404)
        else:
            self.answer(json.dumps({"outputs": [list(ANSWER)]}).encode())

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
