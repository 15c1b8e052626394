"""The check of links to other sites, with a web server on this computer in their place."""

import socket
import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "docs" / "book"))

from check_links import external, main  # noqa: E402
from external_links import unanswered  # noqa: E402

NOT_FOUND = "answers 404 Not Found."


def methods(server):
    return [request.method for request in server.requests]


def test_an_address_that_answers_is_asked_once_and_sends_no_body(server):
    assert unanswered([f"{server.url}/x.bin"], pause=0) == {}
    assert methods(server) == ["HEAD"] and server.bytes_sent == 0


def test_redirects_are_followed(server):
    assert unanswered([f"{server.url}/linked/x.bin"], pause=0) == {}
    assert [request.path for request in server.requests] == ["/linked/x.bin", "/x.bin"]


def test_a_server_that_does_not_know_head_is_asked_with_get(server):
    server.faults = [{"status": 405}]
    assert unanswered([f"{server.url}/x.bin"], pause=0) == {}
    assert methods(server) == ["HEAD", "GET"]


def test_a_missing_page_is_reported_without_a_retry(server):
    address = f"{server.url}/gone"
    assert unanswered([address, f"{server.url}/x.bin"], pause=0) == {address: NOT_FOUND}
    assert methods(server) == ["HEAD", "GET", "HEAD"]


def test_a_failure_that_passes_is_not_reported(server):
    server.faults = [{"status": 503}] * 2
    assert unanswered([f"{server.url}/x.bin"], pause=0) == {}
    assert methods(server) == ["HEAD", "GET", "HEAD"]


def test_a_failure_that_stays_is_reported_after_one_retry(server):
    server.default_fault = {"status": 503}
    (problem,) = unanswered([f"{server.url}/x.bin"], pause=0).values()
    assert problem == "answers 503 Service Unavailable."
    assert methods(server) == ["HEAD", "GET"] * 2


def test_a_server_that_refuses_programs_is_left_to_a_browser(server):
    server.default_fault = {"status": 403}
    (problem,) = unanswered([f"{server.url}/x.bin"], pause=0).values()
    assert problem == ("answers 403 Forbidden. It may refuse programs only: open it in a browser.")


def test_a_server_that_never_answers_takes_two_timeouts(server):
    server.default_fault = {"silent": 20}
    (problem,) = unanswered([f"{server.url}/x.bin"], timeout=0.2, pause=0).values()
    assert problem == "has not answered within 0.2 s." and methods(server) == ["HEAD"] * 2


def test_an_address_without_a_server_is_reported():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert unanswered([address], pause=0) == {address: "cannot be reached."}


def test_what_is_not_an_address_is_reported():
    (problem,) = unanswered(["http://"], pause=0).values()
    assert "cannot be asked" in problem


@pytest.fixture
def book(server, tmp_path):
    """A book of two pages that link the same page, a missing one, and a mail address."""
    known, gone = f"{server.url}/x.bin", f"{server.url}/gone"
    (tmp_path / "a.html").write_text(f'<a href="{known}#one"><a href="mailto:ada@example.org">')
    (tmp_path / "b.html").write_text(f'<a href="{known}#two"><a href="{gone}"><a href="a.html">')
    return tmp_path


def test_each_page_of_another_site_is_listed_once_with_a_page_that_links_it(book, server):
    pages = {address: str(page) for address, page in external(book).items()}
    assert pages == {f"{server.url}/x.bin": "a.html", f"{server.url}/gone": "b.html"}


def test_other_sites_are_asked_only_when_told_and_those_that_fail_are_summed_up(
    book, server, monkeypatch, capsys
):
    assert main([str(book)]) is None and server.requests == []
    monkeypatch.setattr("check_links.unanswered", partial(unanswered, pause=0))
    problem = main([str(book), "--external"])
    assert "1 of 2 addresses of other sites answer." in capsys.readouterr().out
    assert problem == f"b.html links {server.url}/gone, which {NOT_FOUND}"
