"""A server that lies: downloads end with an error, or with the right bytes, and in time."""

import hashlib
import os
import socket
import threading
import time
import zlib
from contextlib import contextmanager
from itertools import count

import numpy as np

from campaigns.outcomes import outcome_of
from hpatches_kit._support import transfer
from hpatches_kit._support.downloads import download

BODY = np.random.default_rng(0).bytes(200_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
LIMIT = 10_000_000  # bytes of a file whose size the server does not say


def answer(body=BODY, status="200 OK", length=None, **headers):
    """The bytes of an answer; `length` is that of the header, "" for none."""
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"Content-Length: {length}"] if length != "" else []
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def partial(start, text):
    """The rest of the file, with this Content-Range."""
    return answer(BODY[start:], "206 Partial Content", Content_Range=text, ETag='"one"')


def cut(then):
    """Send half of the file first, then, as long as bytes are missing, `then(start)`."""

    def pieces(start, _):
        return then(start) if start else answer(ETag='"one"')[:100_000]

    return pieces


def always(content):
    return lambda *_: content


def _endless(*_):
    yield answer(b"", length="")
    while True:
        yield bytes(1 << 16)


def _trickle(*_):
    content = answer()
    yield content[:-20]
    for k in range(len(content) - 20, len(content)):
        time.sleep(0.02)
        yield content[k : k + 1]


def _headers(*_):
    yield b"HTTP/1.1 200 OK\r\n"
    for k in count():
        yield f"X-{k}: {'x' * 1000}\r\n".encode()


LENGTHS = ("0", "1", "-1", "1e3", "x", "199999", "200001", "99999999999999999999", "2, 3", "")
RANGES = ("", "bytes", "bytes x-y/z", "bytes 0-199999/200000", "bytes 5-/200000", "bytes */200000")
RANGES += ("bytes 99999-100000/100001", "bytes -5-10/200000", "bytes 100000-199999/99")
BOMB = zlib.compress(bytes(50_000_000), wbits=31)  # 50 MB in 50 kB, as gzip
CASES = {  # label: function of the first byte that is asked for, and of the request
    **{f"length {text!r}": always(answer(length=text)) for text in LENGTHS},
    **{f"range {text!r}": cut(lambda start, text=text: partial(start, text)) for text in RANGES},
    "another file from the middle": cut(lambda start: answer(BODY[::-1][start:], "206 OK")),
    "the rest of the file as a whole one": cut(lambda start: answer(BODY[start:])),
    "nothing more": cut(lambda start: b""),
    "416 in the middle": cut(lambda start: answer(b"", "416 x", Content_Range="bytes */150000")),
    "416 at once": always(answer(b"", "416 x", Content_Range="bytes */0")),
    "206 without a question": always(answer(BODY[5:], "206 OK", Content_Range="bytes 5-/200000")),
    "a login page": always(answer(b"<!DOCTYPE html>", Content_Type="text/html")),
    "no content": always(answer(b"", "204 No Content")),
    "other bytes": always(answer(bytes(200_000))),
    "a checksum of other bytes": always(answer(X_Linked_ETag=f'"{"0" * 64}"')),
    "a size of other bytes": always(answer(X_Linked_Size="5")),
    "a redirect to itself": always(answer(b"", "302 Found", Location="/x.bin")),
    "a redirect to a file": always(answer(b"", "302 Found", Location="file:///etc/passwd")),
    "a redirect to nowhere": always(answer(b"", "302 Found", Location="http://127.0.0.1:1/x")),
    "a redirect to no address": always(answer(b"", "302 Found", Location="http://[")),
    "no HTTP": always(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "an empty answer": always(b""),
    "a status of text": always(b"HTTP/1.1 OK\r\n\r\n"),
    "status 999": always(answer(status="999 x")),
    "status 500": always(answer(status="500 x")),
    "endless headers": _headers,
    "an endless file": _endless,
    "a slow trickle": _trickle,
    "half a chunk": always(answer(b"ffff\r\nabc", length="", Transfer_Encoding="chunked")),
    "chunks of no length": always(answer(b"x\r\nabc", length="", Transfer_Encoding="chunked")),
    "compressed, against our request": always(answer(BOMB, Content_Encoding="gzip")),
    "damaged compression": always(answer(BODY, Content_Encoding="gzip")),
    "a line break in a name": always(answer(ETag='"a\rb"')),
}
RIGHT = {  # where the file arrives all the same
    "length '-1'",
    "length '1e3'",
    "length 'x'",
    "length ''",
    "a checksum of other bytes",  # the kit knows the right one
    "a slow trickle",
    "a line break in a name",
}


@contextmanager
def serve(pieces):
    """Serve what `pieces(start, request)` gives, bytes or an iterable of them; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_all, args=(server, pieces), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x.bin"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def honest(start, _):
    """The file, or the rest of it, slowly."""
    content = partial(start, f"bytes {start}-199999/200000") if start else answer(ETag='"one"')
    for k in range(0, len(content), 5000):
        time.sleep(0.005)
        yield content[k : k + 5000]


@contextmanager
def mirror():
    """Serve `x.bin` honestly, as the mirror of every address."""
    with serve(honest) as url:
        os.environ["HPATCHES_KIT_MIRROR"] = url.removesuffix("/x.bin")
        yield
        del os.environ["HPATCHES_KIT_MIRROR"]


def _answer_all(server, pieces):
    while True:
        try:
            connection = server.accept()[0]
        except OSError:  # the server is closed
            return
        with connection:
            try:
                request = connection.recv(1 << 16).decode()
                start = int(request.partition("Range: bytes=")[2].partition("-")[0] or 0)
                content = pieces(start, request)
                for piece in [content] if isinstance(content, bytes) else content:
                    connection.sendall(piece)
            except OSError:  # the client has given up
                pass


def run(folder, cases=None, **limits):
    """Download from each kind of server; returns `{label: (outcome, text)}`."""
    outcomes = {}
    for k, label in enumerate(cases or CASES):
        place = folder / str(k)
        place.mkdir()
        with serve(CASES[label]) as url:

            def get(place, url=url):
                transfer.WAIT, transfer.LARGEST, transfer.TIMEOUT = 0.001, LIMIT, (5, 5)
                file = download(url, place / "x.bin", None, SHA256, progress=False)
                return hashlib.sha256(file.read_bytes()).hexdigest()

            outcome = outcome_of(get, place, ("127.0.0.1", "x.bin"), SHA256, **limits)
        expected = "equal" if label in RIGHT else "refused"
        outcomes[label] = outcome if outcome[0] == expected else (f"not {expected}", str(outcome))
    return outcomes
