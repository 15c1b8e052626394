"""Files, downloads, threads and errors. You can understand the pipeline without this folder."""
