"""A local web server that can fail in every way a server can."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np

BODY = np.random.default_rng(0).bytes(300_000)
PAGE = b"<!DOCTYPE html>\n<title>Log in</title>"


class FaultyServer(ThreadingHTTPServer):
    """Serves `files`, records the `requests`, and fails as told.

    Each request takes the next fault from `faults`, or `default_fault` when the list is empty. A
    fault is a dictionary with some of these keys:

        status: answer with this status and no body.
        cut: close the connection after this number of bytes.
        stall: send nothing more after this number of bytes.
        slow: seconds between pieces of 10,000 bytes.
        first: a wrong first byte in Content-Range.
        page: send a web page instead of the file.
        unknown_size: omit Content-Length.
        silent: seconds before the answer.

    The server supports Range and If-Range requests if `range_support` and `if_range_support` are
    true. Paths that begin with /linked/ are redirected, as Hugging Face does, with the headers
    `redirect_headers`.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RequestHandler)
        self.files, self.faults, self.default_fault = {"x.bin": BODY}, [], {}
        self.range_support, self.if_range_support = True, True
        self.etag, self.headers, self.redirect_headers = '"one"', {}, {}
        self.requests, self.stopping = [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def first_bytes(self):
        """The first byte that each request asks for."""
        return [int(request.range[6:-1]) if request.range else 0 for request in self.requests]

    @property
    def bytes_sent(self):
        """Number of bytes sent in all requests."""
        return sum(request.sent for request in self.requests)

    def handle_error(self, request, client_address):
        pass  # clients of these tests close connections early


class RequestHandler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def send_headers(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        server = self.server
        fault = server.faults.pop(0) if server.faults else server.default_fault
        byte_range, validator = self.headers.get("Range"), self.headers.get("If-Range")
        request = SimpleNamespace(
            method=self.command, path=self.path, range=byte_range, validator=validator, sent=0
        )
        server.requests.append(request)
        server.stopping.wait(fault.get("silent", 0))
        for piece in self.pieces(fault, byte_range, validator):
            if self.command == "HEAD":
                break
            request.sent += len(piece)  # before the client can receive it
            self.wfile.write(piece)

    do_HEAD = do_GET

    def pieces(self, fault, byte_range, validator):
        server, name = self.server, self.path.rpartition("/")[2]
        assert self.headers["Accept-Encoding"] == "identity"
        if self.path.startswith("/linked/"):
            return self.send_headers(302, {"Location": f"/{name}", **server.redirect_headers})
        if "page" in fault:
            self.send_headers(200, {"Content-Type": "text/html", "Content-Length": len(PAGE)})
            yield PAGE
            return
        if "status" in fault or name not in server.files:
            return self.send_headers(fault.get("status", 404), {"Content-Length": 0})
        body, start, status = server.files[name], 0, 200
        headers = {"ETag": server.etag, **server.headers} if server.etag else {**server.headers}
        valid = (
            validator in (None, server.etag, headers.get("Last-Modified"))
            or not server.if_range_support
        )
        if byte_range and server.range_support and valid:
            start, status = int(re.fullmatch(r"bytes=(\d+)-", byte_range)[1]), 206
            if start >= len(body):
                return self.send_headers(416, {"Content-Range": f"bytes */{len(body)}"})
            first = fault.get("first", start)
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        if not fault.get("unknown_size"):
            headers["Content-Length"] = len(body) - start
        self.send_headers(status, headers)
        end = min(len(body), start + fault.get("cut", fault.get("stall", len(body))))
        for position in range(start, end, 10_000):
            time.sleep(fault.get("slow", 0))
            yield body[position : min(end, position + 10_000)]
        if "stall" in fault:
            server.stopping.wait(20)
