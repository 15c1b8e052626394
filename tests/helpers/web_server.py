"""A web server on this computer that fails in every way a server can."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np

BODY = np.random.default_rng(0).bytes(300_000)
PAGE = b"<!DOCTYPE html>\n<title>Log in</title>"


class Server(ThreadingHTTPServer):
    """Serves `files`. Each request takes the next of `faults`; when there are none left, `always`.

    A fault is a dictionary. `status`: this answer and no body. `cut`: the connection closes after so
    many bytes. `stall`: it falls silent there. `slow`: seconds between pieces. `first`: a false
    beginning in Content-Range. `page`: a web page. `unknown_size`: no Content-Length. The server may
    be without `ranges`, or not obey If-Range. `linked`: what it says when it redirects.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.always = {"x.bin": BODY}, [], {}
        self.ranges, self.obeys, self.etag, self.headers, self.linked = True, True, '"one"', {}, {}
        self.requests, self.released = [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # clients here go away in the middle


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        server = self.server
        fault = server.faults.pop(0) if server.faults else server.always
        asked, validator = self.headers.get("Range"), self.headers.get("If-Range")
        request = SimpleNamespace(path=self.path, range=asked, validator=validator, sent=0)
        server.requests.append(request)
        for piece in self.pieces(fault, asked, validator):
            request.sent += len(piece)  # before the other side can know of it
            self.wfile.write(piece)

    def pieces(self, fault, asked, validator):
        server, name = self.server, self.path.rpartition("/")[2]
        assert self.headers["Accept-Encoding"] == "identity"
        if self.path.startswith("/linked/"):
            return self.answer(302, {"Location": f"/{name}", **server.linked})
        if "page" in fault:
            self.answer(200, {"Content-Type": "text/html", "Content-Length": len(PAGE)})
            yield PAGE
            return
        if "status" in fault or name not in server.files:
            return self.answer(fault.get("status", 404), {"Content-Length": 0})
        body, start, status = server.files[name], 0, 200
        headers = {"ETag": server.etag, **server.headers} if server.etag else {**server.headers}
        same = validator in (None, server.etag, headers.get("Last-Modified")) or not server.obeys
        if asked and server.ranges and same:
            start, status = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]), 206
            if start >= len(body):
                return self.answer(416, {"Content-Range": f"bytes */{len(body)}"})
            first = fault.get("first", start)
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        if not fault.get("unknown_size"):
            headers["Content-Length"] = len(body) - start
        self.answer(status, headers)
        end = min(len(body), start + fault.get("cut", fault.get("stall", len(body))))
        for piece in range(start, end, 10_000):
            time.sleep(fault.get("slow", 0))
            yield body[piece : min(end, piece + 10_000)]
        if "stall" in fault:
            server.released.wait(20)
