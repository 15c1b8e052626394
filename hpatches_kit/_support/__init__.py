"""Files, downloads, threads and errors: everything that does not know what a patch is.

Nobody needs to read this folder to understand the pipeline. It imports nothing from the rest of the package.
"""
