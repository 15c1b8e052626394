"""Files, downloads, threads and errors: everything that does not know the pipeline.

Nobody needs to read this folder to understand the pipeline. It imports nothing from the others.
"""
