#!/bin/sh
# A virtual environment $1 with this project's dependencies and those of the extras $2, in the
# versions of requirements.lock. Run where requirements.lock and pyproject.toml lie.
set -eu

venv=$1
extras=${2:-}
python3 -m venv "$venv"
python="$venv/bin/python"
pip="$python -m pip --disable-pip-version-check"

# What pyproject.toml asks for, without the project: its code comes in a later layer.
"$python" - "$extras" > "$venv/wanted.txt" <<'PYTHON'
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = [name for name in sys.argv[1].split() if name != "mediapipe"]
wanted = project["dependencies"] + sum((project["optional-dependencies"][e] for e in extras), [])
print("\n".join(wanted))
PYTHON
$pip install --constraint requirements.lock --requirement "$venv/wanted.txt"

case " $extras " in *" mediapipe "*)
    # Those of its dependencies that finding landmarks imports.
    $pip install --constraint requirements.lock absl-py flatbuffers sounddevice matplotlib
    $pip install --no-deps --constraint requirements.lock mediapipe
    ;;
esac

version=$(sed -n 's/^opencv-python==//p' requirements.lock)
$pip uninstall --yes opencv-python
$pip install --no-deps "opencv-python-headless==$version"
rm "$venv/wanted.txt"
