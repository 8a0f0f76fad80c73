"""The scripts of datasets/vision/coco-2017-val, against a small archive on a server of our own."""

import hashlib
import http.server
import io
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest
import zipfile
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, "datasets", "vision", "coco-2017-val")
BIN = os.path.abspath(os.environ.get("AIBENCH_BIN", os.path.join(ROOT, "bin")))


def png(width, height):
    """A grey PNG of noise."""
    noise = random.Random(width)
    rows = b"".join(b"\0" + noise.randbytes(width) for _ in range(height))

    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i in range(3):
            z.writestr(f"val2017/{i}.png", png(300 + i, 280))
    return out.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one archive, from an offset where it is asked to and able to."""

    def do_GET(self):
        whole, start = self.server.content, 0
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.server.asked.append(asked and int(asked[1]))
        if asked and self.server.ranges:
            start = int(asked[1])
            if start >= len(whole):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(whole) - start))
        self.end_headers()
        self.wfile.write(whole[start:])

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("curl"), "needs curl")
class VisionDataset(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="aibench-test-")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.content, self.server.ranges, self.server.asked = archive(), True, []
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def tearDown(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_script(self, name, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment.update({
            "VISION_DATA_DIR": self.folder.name,
            "COCO_VAL2017_URL": f"http://127.0.0.1:{self.server.server_port}/val2017.zip",
            "COCO_VAL2017_SHA256": hashlib.sha256(self.server.content).hexdigest(),
            "EXE_FILE_NAME": os.path.join(BIN, "aibench_generate_data_vision"),
            **variables})
        return subprocess.run([os.path.join(SCRIPTS, name)], env=environment, capture_output=True, text=True, timeout=60)

    def assert_photos(self):
        self.assertEqual(sorted(os.listdir(self.path("val2017"))), ["0.png", "1.png", "2.png"])
        self.assertEqual(os.listdir(self.folder.name), ["val2017"])

    def test_photos_are_unpacked_and_nothing_else_is_left(self):
        made = self.run_script("download_coco_2017.sh")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assert_photos()
        self.assertEqual(self.run_script("download_coco_2017.sh").returncode, 0)
        self.assertEqual(len(self.server.asked), 1)

    def test_interrupted_download_goes_on(self):
        with open(self.path("val2017.zip.part"), "wb") as part:
            part.write(self.server.content[:1000])
        made = self.run_script("download_coco_2017.sh")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.server.asked, [1000])
        self.assert_photos()

    def test_download_starts_again_where_the_server_cannot_go_on(self):
        self.server.ranges = False
        with open(self.path("val2017.zip.part"), "wb") as part:
            part.write(self.server.content[:1000])
        made = self.run_script("download_coco_2017.sh")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assert_photos()

    def test_part_of_another_file_is_replaced(self):
        with open(self.path("val2017.zip.part"), "wb") as part:
            part.write(b"x" * (len(self.server.content) + 10))
        made = self.run_script("download_coco_2017.sh")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assert_photos()

    def test_archive_with_the_wrong_checksum_is_not_unpacked(self):
        right = hashlib.sha256(self.server.content).hexdigest()
        self.server.content += b"more"
        made = self.run_script("download_coco_2017.sh", COCO_VAL2017_SHA256=right)
        self.assertEqual(made.returncode, 1)
        self.assertIn("does not have the SHA-256", made.stderr)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_prepared_folder_has_the_crops(self):
        made = self.run_script("prepare_coco_2017.sh", VISION_IMAGE_REUSE_FACTOR="2")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(sorted(os.listdir(self.path("cropped-val2017"))),
                         [f"rep{k}_{i}.png.png" for k in (1, 2) for i in range(3)])
        again = self.run_script("prepare_coco_2017.sh")
        self.assertEqual(again.returncode, 0)
        self.assertIn("there already", again.stdout)


if __name__ == "__main__":
    unittest.main()
