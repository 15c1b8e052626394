"""Compare the client of huggingface_hub with ours when downloads are killed, cut off or damaged.

    pip install huggingface_hub
    python benchmarks/hub_client.py

A local server answers as the Hugging Face hub does, and counts the bytes of a file of 50 MB that it
sends. Xet is off, because the server does not speak its protocol.
"""

import hashlib
import os
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen

import numpy as np

SIZE, PIECE, SPEED = 50_000_000, 100_000, 25e6  # bytes, bytes, bytes per second
BODY = np.random.default_rng(0).bytes(SIZE)
SHA256 = hashlib.sha256(BODY).hexdigest()
PATH = "/datasets/owner/name/resolve/main/file.zip"
CLIENTS = {
    "huggingface_hub": "import sys; from huggingface_hub import hf_hub_download as get;"
    "get('owner/name', 'file.zip', repo_type='dataset', cache_dir=sys.argv[1])",
    "hpatches_kit": "import sys; from hpatches_kit._support.downloads import download as get;"
    f"get('https://huggingface.co{PATH}', sys.argv[1] + '/file.zip', progress=False)",
}
CASES = {
    "killed at half, second call": {"kill": True},
    "other bytes than announced": {"body": BODY[::-1]},
    "connection cut every 5 MB": {"cut": 5_000_000},
    "connection cut every 15 MB": {"cut": 15_000_000},
    "two processes at once": {"processes": 2},
}


class Handler(BaseHTTPRequestHandler):
    """Sends `server.body` and announces SHA256; closes a connection after `server.cut` bytes."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        start = int(re.findall(r"\d+", self.headers.get("Range", "0"))[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", SIZE - start)
        self.send_header("Content-Range", f"bytes {start}-{SIZE - 1}/{SIZE}")
        self.send_header("ETag", f'"{SHA256}"')
        self.send_header("X-Linked-ETag", f'"{SHA256}"')
        self.send_header("X-Linked-Size", SIZE)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        return start

    def do_GET(self):
        if self.path != PATH:  # a question about the repository; the client works without an answer
            return self.send_error(404)
        start, self.close_connection = self.do_HEAD(), True
        for position in range(start, min(SIZE, start + self.server.cut), PIECE):
            self.wfile.write(self.server.body[position : position + PIECE])
            self.server.sent += PIECE
            time.sleep(PIECE / SPEED)

    def log_message(self, *_):
        pass


def measure(script, server, kill=False, processes=1, body=BODY, cut=SIZE):
    """Run a client in one case: what the server sent and how the client ended, as text."""
    address = f"http://127.0.0.1:{server.server_port}"
    environment = os.environ | {"HF_ENDPOINT": address, "HF_HUB_DISABLE_XET": "1"}
    options = {"env": environment, "stdout": PIPE, "stderr": PIPE, "text": True}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", script, folder]
        server.sent, server.body, server.cut = 0, body, cut
        if kill:
            client = Popen(command, **options)
            while server.sent < SIZE / 2 and client.poll() is None:
                time.sleep(0.01)
            client.kill()
            time.sleep(1)  # until the server notices
            server.sent = 0
        clients = [Popen(command, **options) for _ in range(processes)]
        errors = "".join(client.communicate()[1] for client in clients)
        failed = any(client.returncode for client in clients)
        end = errors.strip().rpartition("\n")[2][:100] if failed else "complete"
        return f"{server.sent / 1e6:5.1f} MB sent, {end}"


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients close connections early
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for client, script in CLIENTS.items():
        for case, options in CASES.items():
            print(f"{client:16} {case:28} {measure(script, server, **options)}", flush=True)
