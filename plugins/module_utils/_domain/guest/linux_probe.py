# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe for Linux guests. ``linux`` reads its output. PRIVATE to the collection.

The probe needs ``sh`` and ``/sys`` only; ``od`` or ``hexdump``, ``timeout`` and ``nvidia-smi`` are used if they are there. It writes
nothing. Each fact is one line: a word, then values, separated by tabs; ``~`` is a value that could not be read. Text of others is the
last value of a line, so no text can look like another fact. The text of the probe has no ``{{``, ``{%`` or ``{#``, so no template engine
changes it.

Source of the files: the kernel's Documentation/ABI/testing/sysfs-bus-pci and sysfs-class-net, Documentation/PCI/sysfs-pci.rst;
``resource`` has start, end and flags of each BAR (drivers/pci/pci-sysfs.c, ``resource_show``).
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

COMMAND_TIMEOUT = 60
"""Seconds for ``nvidia-smi`` and for each command of the user, if ``timeout`` is installed: both may hang when a device is broken."""

_HEAD = r"""
LC_ALL=C
export LC_ALL
unset CDPATH
SYS=${DIRECTPATH_SYS:-/sys}
PROC=${DIRECTPATH_PROC:-/proc}
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
T=
command -v timeout >/dev/null 2>&1 && T="timeout TIMEOUT"
read_line() {
  V="~"
  if [ -r "$1" ]; then
    V=
    { IFS= read -r V <"$1"; } 2>/dev/null || :
  fi
}
show() {
  K=$1
  shift
  printf "%s" "$K"
  for A in "$@"; do
    printf "\t%s" "$A"
  done
  printf "\n"
}
boot() {
  read_line "$PROC/sys/kernel/random/boot_id"
  show boot "$V"
}
config() {
  [ -r "$1" ] || return 0
  if command -v od >/dev/null 2>&1; then
    od -An -v -tx1 -N64 "$1" 2>/dev/null
  elif command -v hexdump >/dev/null 2>&1; then
    hexdump -v -n 64 -e "1/1 \"%02x \"" "$1" 2>/dev/null
  fi
}
driver() {
  if [ -e "$1" ]; then
    W=$(cd -P "$1" 2>/dev/null && pwd -P)
    V=${W##*/}
    [ -n "$V" ] || V="~"
  else
    V="-"
  fi
}
device() {
  D=$1
  N=${D##*/}
  F=
  for P in vendor device subsystem_vendor subsystem_device class enable; do
    read_line "$D/$P"
    F="$F ${V:-~}"
  done
  driver "$D/driver"
  show pci "$N" $F "$V"
  show config "$N" $(config "$D/config")
  if [ -r "$D/resource" ]; then
    I=0
    while read -r B E G && [ "$I" -lt 6 ]; do
      show bar "$N" "$I" "$B" "$E" "$G"
      I=$((I + 1))
    done <"$D/resource"
  fi
  for C in "$D"/nvme/nvme*; do
    [ -d "$C" ] || continue
    read_line "$C/state"
    show nvme "$N" "${C##*/}" "$V"
    for S in "$C"/nvme*n*; do
      [ -r "$S/size" ] || continue
      read_line "$S/size"
      show namespace "$N" "${C##*/}" "$V"
    done
  done
  for C in "$D"/net/*; do
    [ -d "$C" ] || continue
    read_line "$C/operstate"
    O=$V
    read_line "$C/carrier"
    show net "$N" "$O" "${V:-~}" "${C##*/}"
  done
  for C in "$D"/infiniband/*/ports/*; do
    [ -d "$C" ] || continue
    read_line "$C/state"
    W=${C%/ports/*}
    show port "$N" "$V" "${W##*/} port ${C##*/}"
  done
  case $F in " 0x10de "*) GPUS=1 ;; esac
}
lines() {
  printf "%s\n" "$2" | while IFS= read -r L; do
    show "$1" "$L"
  done
}
GPUS=
echo "directpath-guest 1 linux"
boot
if [ -r "$PROC/uptime" ]; then
  read -r U W <"$PROC/uptime"
  show uptime "$U"
fi
read_line "$SYS/class/dmi/id/product_uuid"
show uuid "$V"
read_line "$PROC/sys/kernel/osrelease"
show kernel "$V"
for DEVICE in "$SYS"/bus/pci/devices/*; do
  [ -e "$DEVICE/vendor" ] && device "$DEVICE"
done
if [ -n "$GPUS" ] && command -v nvidia-smi >/dev/null 2>&1; then
  O=$($T nvidia-smi --query-gpu=pci.bus_id,pci.device_id,uuid,memory.total,name --format=csv,noheader,nounits 2>/dev/null </dev/null)
  show smi-status "$?"
  lines smi "$O"
fi
"""
_COMMAND = r"""$T sh -c {command} >/dev/null 2>&1 </dev/null
show command {number} "$?"
"""
_TAIL = r"""boot
echo "directpath-guest end"
"""


def linux_probe(commands: Sequence[str] = ()) -> str:
    """The text of the probe, for ``/bin/sh``. ``commands``: commands of the user; their exit status is reported, their output is not."""
    head = _HEAD.replace("TIMEOUT", str(COMMAND_TIMEOUT)).lstrip("\n")
    runs = [_COMMAND.format(command=shlex.quote(command), number=number) for number, command in enumerate(commands)]
    return "".join([head, *runs, _TAIL])


LINUX_PROBE = linux_probe()
"""The probe without commands of the user."""
