"""Ask whether the addresses outside of the book still answer. This needs a network.

Used by `check_links.py --external`.
"""

import time

import requests

TIMEOUT = 10  # seconds until a connection, and between two packets
PAUSE = 1  # seconds between requests, for the sake of the servers
HEADERS = {"User-Agent": "hpatches_kit-link-check", "Accept-Encoding": "identity"}
NO_PROGRAMS = (401, 403, 429)
WORTH_A_RETRY = (429, 500, 502, 503, 504)


def unanswered(addresses, timeout=TIMEOUT, pause=PAUSE):
    """Ask each address, and once more after a failure that may pass.

    Returns `{address: sentence}` of those that do not answer with a page.
    """
    failed = {}
    with requests.Session() as session:
        session.headers.update(HEADERS)
        for address in addresses:
            problem, may_pass = _ask(session, address, timeout)
            if may_pass:
                time.sleep(pause)
                problem, _ = _ask(session, address, timeout)
            if problem:
                failed[address] = problem
            time.sleep(pause)
    return failed


def _ask(session, address, timeout):
    """What is wrong with the answer, `""` for nothing, and whether asking again may help."""
    try:
        # HEAD sends no body; some servers answer it only with an error.
        for method in ("HEAD", "GET"):
            with session.request(
                method, address, timeout=timeout, allow_redirects=True, stream=True
            ) as answer:
                if answer.ok:
                    return "", False
    except requests.Timeout:
        return f"has not answered within {timeout} s.", True
    except requests.ConnectionError:
        return "cannot be reached.", True
    except requests.RequestException as error:  # too many redirects, or not an address
        return f"cannot be asked: {error}.", False
    reason = f"{answer.status_code} {answer.reason}".strip()
    refused = " It may refuse programs only: open it in a browser." * (
        answer.status_code in NO_PROGRAMS
    )
    return f"answers {reason}.{refused}", answer.status_code in WORTH_A_RETRY
