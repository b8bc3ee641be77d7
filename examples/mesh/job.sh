#!/bin/sh
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a playbook on an execution node of a receptor mesh, and ends with the exit status of the play.
#   job.sh FOLDER PLAYBOOK [LIMIT]
# FOLDER: a private data folder of ansible-runner, with inventory/ and env/envvars (the account; mode 0600).
# RECEPTOR_SOCKET, RECEPTOR_NODE: the control socket, and the node. Without them the worker runs on this machine.
# JOB_SECONDS: how long the job may take (a day). receptorctl does not end by itself when its node dies.
set -eu
folder=$1 playbook=$2 limit=${3:-all}
started=
# shellcheck disable=SC2329 # the traps call it
end() {
    trap '' HUP INT TERM
    # $! is set with the start of the job. A variable of our own would be set a moment later, and the signal may come before.
    if [ -n "$started" ] && [ -n "${!:-}" ]; then
        kill "$!" 2>/dev/null || true
        wait "$!" || true
        echo "The job was stopped. The play may still run on its node. Look first: ansible-playbook directpath.vsphere.status" >&2
    fi
    exit "$1"
}
work=$(mktemp -d)
# The folder has the account. Not every shell runs the EXIT trap when a signal ends it.
trap 'rm -rf "$work"' EXIT
trap 'end 129' HUP
trap 'end 130' INT
trap 'end 143' TERM

ansible-runner transmit "$folder" -p "$playbook" --limit "$limit" >"$work/job"
started=yes
# In the background: a shell handles a signal only after the command in the foreground, but ends a wait at once.
if [ -n "${RECEPTOR_NODE:-}" ]; then
    timeout -k 60 "${JOB_SECONDS:-86400}" receptorctl --socket "$RECEPTOR_SOCKET" work submit --node "$RECEPTOR_NODE" \
        --payload "$work/job" --follow --rm ansible-runner >"$work/answer" &
else
    ansible-runner worker --private-data-dir "$work/worker" <"$work/job" >"$work/answer" &
fi
status=0
wait "$!" || status=$?
started=

# Of an earlier job. Without a new one, nothing is known of this job.
rm -f "$folder/artifacts/rc"
ansible-runner process "$folder" <"$work/answer" || true
# The exit status of process says only that the events were processed. How the play ended is in this file.
if [ ! -s "$folder/artifacts/rc" ]; then
    echo "The job sent no result (status $status). Before another node gets it: ansible-playbook directpath.vsphere.status" >&2
    exit 70
fi
exit "$(cat "$folder/artifacts/rc")"
