"""The command line, `hpatches` or `python -m hpatches_kit`: evaluate, data, reproduce."""
