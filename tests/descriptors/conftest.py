"""Descriptors on disk that several tests share."""

import zipfile
from pathlib import Path

import pytest


@pytest.fixture
def folder(descriptors, tmp_path):
    """A CSV folder with the sequences v_a, i_b and v_c: 25, 20 and 15 points, 8 numbers each."""
    descriptors.write_csv(tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture
def zip_folder():
    """A function that zips the CSV files of a folder as file managers do."""

    def zip_folder(folder, file, inside="."):  # `inside`: the folder in the zip that contains all
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for child in sorted(folder.rglob("*.csv")):
                archive.write(child, Path(inside) / child.relative_to(folder))
        return file

    return zip_folder
