# Find the kit: installed, in the checkout around this notebook, or from its public address.
import importlib.util
import subprocess
import sys
from pathlib import Path

REPOSITORY = ""  # the public address, e.g. "https://github.com/OWNER/hpatches_kit"

spec = importlib.util.find_spec("hpatches_kit")
if spec is None or spec.origin is None:
    here = Path.cwd()
    places = [here, *here.parents, here / "hpatches_kit"]
    checkout = [p for p in places if (p / "hpatches_kit" / "__init__.py").exists()]
    if checkout:
        sys.path.insert(0, str(checkout[0]))
    elif REPOSITORY:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", f"git+{REPOSITORY}"], check=True
        )
    else:
        raise ImportError(
            "Put a copy of the project beside this notebook, or its address into REPOSITORY above."
        )
