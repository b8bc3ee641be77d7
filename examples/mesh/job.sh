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
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ansible-runner transmit "$folder" -p "$playbook" --limit "$limit" >"$work/job"
status=0
if [ -n "${RECEPTOR_NODE:-}" ]; then
    timeout "${JOB_SECONDS:-86400}" receptorctl --socket "$RECEPTOR_SOCKET" work submit --node "$RECEPTOR_NODE" \
        --payload "$work/job" --follow --rm ansible-runner >"$work/answer" || status=$?
else
    ansible-runner worker --private-data-dir "$work/worker" <"$work/job" >"$work/answer" || status=$?
fi

# Of an earlier job. Without a new one, nothing is known of this job.
rm -f "$folder/artifacts/rc"
ansible-runner process "$folder" <"$work/answer" || true
# The exit status of process says only that the events were processed. How the play ended is in this file.
if [ ! -s "$folder/artifacts/rc" ]; then
    echo "The job sent no result (status $status). Before another node gets it: ansible-playbook directpath.vsphere.status" >&2
    exit 70
fi
exit "$(cat "$folder/artifacts/rc")"
