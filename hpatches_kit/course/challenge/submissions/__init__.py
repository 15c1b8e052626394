"""Read submissions: files of strangers become checked arrays and model cards.

A file is opened in a limited process only. Nothing in it is executed or unpickled.
"""
