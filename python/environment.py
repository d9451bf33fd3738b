"""Virtual environments at the root of the repository, made and updated by the scripts that use them. Plain Python."""

import hashlib
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def ready_python(directory: str, requirements: str) -> Path:
    """The interpreter of an environment with what a requirements file asks for, installed when missing or outdated."""
    path, wanted_packages = ROOT / directory, ROOT / "python" / requirements
    python, stamp = path / "bin" / "python", path / "requirements.sha256"
    wanted = hashlib.sha256(wanted_packages.read_bytes()).hexdigest()
    if not python.exists():
        venv.create(path, with_pip=True)
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", wanted_packages], check=True)
        stamp.write_text(wanted)
    return python
