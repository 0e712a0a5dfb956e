#!/bin/sh
# Makes the virtual environment $1 with the packages of requirements.lock and this project in it.
# As root on Debian it also installs the system libraries that GL, open3d and venv need; as
# another user it prints the line that does, and goes on without what they bring.
set -eu

venv=$1
python=${PYTHON:-python3}
libraries="libgl1 libxrender1 libegl1 libgles2 libosmesa6 libglib2.0-0 libgomp1 libusb-1.0-0 python3-venv"

missing=""
if command -v dpkg-query >/dev/null 2>&1; then
    for name in $libraries; do
        # A virtual environment can come with other Pythons than Debian's own.
        [ "$name" = python3-venv ] && "$python" -c "import ensurepip" 2>/dev/null && continue
        dpkg-query -W -f '${Status} ${Provides}\n' "$name*" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $name"
    done
fi
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        echo "setup: installing system libraries:$missing"
        apt-get update -qq || true
        for name in $missing; do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$name" >/dev/null ||
                echo "setup: $name could not be installed; going on without it"
        done
    else
        echo "setup: some extras need system libraries; to have them, run once:"
        echo "    sudo apt-get install$missing"
    fi
fi

echo "setup: $("$python" --version) environment in $venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "setup: facesynth needs Python 3.10 or newer; set PYTHON=/path/to/python3" >&2
    exit 1
}
"$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check --quiet"

# The lock is complete, and one of its lines overrides a pin (see Makefile: lock), so pip need not
# resolve. torch alone brings platform packages (CUDA's) that the lock leaves to its own metadata.
$pip install --no-deps -r requirements.lock
$pip install "$(grep '^torch==' requirements.lock)"
$pip install --no-deps -e .

# Without libGL OpenCV's usual wheel does not load; the headless one of the same version does.
if ! "$venv/bin/python" -c "import cv2" 2>/dev/null; then
    echo "setup: OpenCV's GUI libraries are missing here; taking its headless build"
    version=$(sed -n 's/^opencv-python==//p' requirements.lock)
    $pip uninstall -y opencv-python
    $pip install --no-deps "opencv-python-headless==$version"
fi

for module in open3d pyrender mediapipe face_alignment torch; do
    PYOPENGL_PLATFORM=egl "$venv/bin/python" -c "import $module" >/dev/null 2>&1 ||
        echo "setup: $module does not load here (a system library is missing); what needs it is off"
done
touch "$venv/.ready"
echo "setup: done"
