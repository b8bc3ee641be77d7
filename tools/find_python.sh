#!/bin/sh
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Print a Python >= 3.11 that can create virtual environments. $PYTHON has priority. Each candidate is started, because the
# shim of a version manager may exist for a version that is not installed.
works() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null
}
if [ -n "${PYTHON:-}" ]; then
  works "$PYTHON" && { echo "$PYTHON"; exit 0; }
  echo "PYTHON=$PYTHON is not a Python >= 3.11 with venv and ensurepip." >&2
  exit 1
fi
for candidate in python3.11 python3.12 python3.13 python3.14 python3 python \
  "$HOME"/.pyenv/versions/3.1[1-9]*/bin/python "$HOME"/.local/share/uv/python/*/bin/python3 \
  /opt/homebrew/bin/python3 /usr/local/bin/python3; do
  if works "$candidate"; then
    echo "$candidate"
    exit 0
  fi
done
echo "No Python >= 3.11 with venv and ensurepip was found (Debian and Ubuntu: apt install python3-venv)." >&2
echo "Name one with: make PYTHON=/path/to/python ..." >&2
exit 1
