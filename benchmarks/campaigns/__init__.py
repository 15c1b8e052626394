"""Campaigns: everything that others, a full disk or a dying machine can do to the kit's files.

    make campaign OPTIONS=--help

Each part prints how often each outcome occurred; `docs/reliability.md` keeps the counts. They run as
an ordinary user, in a temporary folder of their own.
"""
