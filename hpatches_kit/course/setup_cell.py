# @title Setup: run this cell first { display-mode: "form" }
# Makes hpatches_kit importable: installed already, in a folder around this notebook, at its public
# address, in a copy on Google Drive, or in a file that you upload. Colab's packages are not upgraded.
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

KEEP_RUNS_ON_DRIVE = False  # @param {type: "boolean"}
REPOSITORY = ""  # the public address, for example "https://github.com/OWNER/hpatches_kit"
DRIVE = Path("/content/drive")
NEEDED = {"numba": "numba", "scipy": "scipy", "pandas": "pandas", "skimage": "scikit-image"}
NEEDED |= {"sklearn": "scikit-learn", "filelock": "filelock", "tabulate": "tabulate"}
NEEDED |= {"threadpoolctl": "threadpoolctl", "wrapt": "wrapt", "lazy_loader": "lazy_loader"}


def is_missing(module):
    importlib.invalidate_caches()
    spec = importlib.util.find_spec(module)
    return spec is None or spec.origin is None


def pip_install(*packages):
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *packages], check=True)


def mount_drive():
    from google.colab import drive

    drive.mount(str(DRIVE))
    return DRIVE / "MyDrive"


def upload():
    from google.colab import files

    print("hpatches_kit is not on your Drive. Upload it as a .whl, or as a .zip of the project.")
    return next(map(Path, files.upload()), None)


def is_checkout(folder):
    return (folder / "hpatches_kit" / "__init__.py").exists()


def find_copy(folder):
    """A checkout in this folder or up to two levels below; without one, a wheel or zip of the kit."""
    paths = [folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))]
    files = [p for p in paths if p.name.startswith("hpatches_kit") and p.suffix in (".whl", ".zip")]
    return next(filter(is_checkout, paths), files[0] if files else None)


def use(copy):
    if copy.suffix == ".whl":
        return pip_install("--no-deps", str(copy))
    if copy.suffix == ".zip":
        shutil.unpack_archive(copy, "hpatches_kit_unpacked")
        copy = find_copy(Path("hpatches_kit_unpacked"))
    sys.path.insert(0, str(copy.resolve()))


in_colab = not is_missing("google") and not is_missing("google.colab")
if is_missing("hpatches_kit"):
    around = next(filter(is_checkout, Path.cwd().parents), None) or find_copy(Path.cwd())
    if around is None and REPOSITORY:
        pip_install("--no-deps", f"git+{REPOSITORY}")
    elif copy := around or (in_colab and (find_copy(mount_drive()) or upload())):
        use(copy)
    else:
        raise ImportError(
            "hpatches_kit is not here: run `pip install PATH_OF_THE_PROJECT`, put a copy of the"
            " project beside this notebook, or set REPOSITORY above to its public address."
        )
if packages := [package for module, package in NEEDED.items() if is_missing(module)]:
    pip_install(*packages)
for setting in ("TF_CPU_ALLOCATOR_USE_BFC", "TF_ENABLE_ONEDNN_OPTS"):
    os.environ.setdefault(setting, "1")  # TensorFlow trains faster on a CPU
if KEEP_RUNS_ON_DRIVE and in_colab:  # `results/...` is relative, so the next session finds it there
    (mount_drive() / "hpatches_kit_runs").mkdir(exist_ok=True)
    os.chdir(DRIVE / "MyDrive" / "hpatches_kit_runs")
