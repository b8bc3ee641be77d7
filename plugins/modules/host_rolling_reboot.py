#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_rolling_reboot
short_description: Reboot ESXi hosts of many clusters, a few at a time, verify each and resume after interruptions
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reboots hosts whose PCI passthrough changes require a reboot. Works in all clusters at the same time, with as many hosts of each cluster
    as may be unavailable.
  - Checks every host before it changes anything on it, and reports all blockers - red alarms, pinned virtual machines (those that cannot be
    migrated), capacity, HA and DRS, vSAN, maintenance mode and tasks of other users. A blocked host does not delay other hosts, and is
    checked again later.
  - Shuts down pinned virtual machines if O(pinned_vms) allows it. Records them first. Powers them on again in reverse order on their host,
    also when a new run resumes after a crash of the module.
  - Verifies each reboot by a new boot time, the uptime and responding services. Then every device that was passed through must be the same
    hardware with passthrough in effect, and datastores and uplinks must be as before. Only then does the host leave maintenance mode.
  - A host that fails stays in maintenance mode. It is never rebooted a second time for the same reason.
  - Writes each step to a journal in vCenter (custom attributes) before it does the step. To resume a run that was killed, run the same task
    again, on any controller. For a standalone ESXi host the journal is in a file on the controller.
  - Check mode returns the complete schedule, with all virtual machines that would be shut down, and writes nothing.
  - Never forces a reboot. Every wait has a time limit.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.selectors.TARGETS
  - directpath.vsphere.graphics
  - directpath.vsphere.bmc
  - directpath.vsphere.outlets
  - directpath.vsphere.outlets.RUNS
  - directpath.vsphere.outlets.VCENTER
options:
  reboot_if:
    description:
      - V(pending) reboots the hosts that require a reboot. V(always) reboots every selected host once, for example after a firmware update
        of a card. The journal lists the hosts that are done until all of them are.
    type: str
    choices: [pending, always]
    default: pending
  booted_before:
    description:
      - With O(reboot_if=always), reboots only the hosts whose boot time is before this time. Set it to the time of the firmware update, in
        ISO 8601 with time zone, such as V(2026-01-05T08:00:00Z). Then the task can be run again at any time, and changes nothing when every
        host has booted since.
    type: str
  expect_pending:
    description: Names of hosts that will require a reboot after a planned change that is not made yet. Only used in check mode.
    type: list
    elements: str
    default: []
  expect_settled:
    description:
      - Names of hosts that require a reboot now, and will not after a planned change that is not made yet, for example because a disabled
        device is enabled again. Only used in check mode.
    type: list
    elements: str
    default: []
  assume_detached:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are treated as if their devices were detached. Only used in
        check mode.
    type: list
    elements: str
    default: []
  on_missing:
    description:
      - Whether a host that lacks a device of O(targets) or O(devices) after its reboot fails the verification (V(fail)), or only the
        devices that it has are verified (V(skip)). As in M(directpath.vsphere.host_passthrough). A device that was there before the reboot
        must always be there after it.
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description: Protected devices that the reboot may take from their host, as in M(directpath.vsphere.host_passthrough).
    type: list
    elements: str
    default: []
  unknown_names:
    description:
      - What to do about an entry of O(allow_protected) whose host does not exist here. The entry has no effect.
      - V(warn) warns. V(only_if_refused) warns only if something is refused that such an entry could allow. Set it for a list that is for
        several vCenters. The roles do.
    type: str
    choices: [warn, only_if_refused]
    default: warn
  method:
    description:
      - V(reboot) reboots the host through vSphere. V(power_cycle) shuts the host down and powers it on through its management controller
        (BMC), so that its cards lose power. It requires O(bmc).
    type: str
    choices: [reboot, power_cycle]
    default: reboot
  max_unavailable:
    description:
      - How many hosts of a cluster may be unavailable at once, for any reason. A number, or a percentage such as V(25%), which is rounded
        down to at least one. A vSAN cluster never has more than one unavailable host.
    type: str
    default: "1"
  cluster_max_unavailable:
    description: As O(max_unavailable), for single clusters by name, inventory path or managed object id.
    type: dict
    default: {}
  fleet_max_unavailable:
    description:
      - How many hosts of all these clusters together may be unavailable at once. Counted in one vCenter. Hosts that another task or another
        vCenter has down at the same time do not count.
    type: str
  canary:
    description:
      - Whether one host of each hardware model (the canary) is rebooted first. The other hosts of that model follow when it is done.
    type: bool
    default: true
  soak:
    description:
      - Seconds between the end of one host and the start of the host that takes its place. Until then the host counts as unavailable for
        O(max_unavailable) and O(fleet_max_unavailable), although it is in service. With O(ready_when), the time begins when all checks have
        succeeded, and they must succeed once more at its end.
    type: float
    default: 0
  ready_when:
    description:
      - Checks that must succeed after a host is back in service and its virtual machines are powered on, before another host takes its
        place. Until then the host counts as unavailable, as with O(soak). For example, the virtual machine that controls the storage of a
        host must provide it again before the next one is shut down.
      - A check that failed is retried after 10 seconds. If one has not succeeded after O(ready_timeout), the host fails with
        C(gate_failed), no further host is started, whatever O(max_failures) says, and hosts in progress are finished. The host stays in
        service. The next run checks it again before it starts another host.
      - Checks run on the machine on which the module runs, and never delay the run. They apply to hosts that are started with O(ready_when)
        or O(soak), also when another run resumes them.
    type: list
    elements: dict
    default: []
    suboptions:
      check:
        description:
          - V(heartbeat) - the heartbeat of the guest is green in vCenter. V(tools) - VMware Tools are running. V(tcp) - a TCP port accepts
            connections. V(http) - a URL answers with one of O(ready_when[].status). V(command) - a program ends with status 0.
        type: str
        required: true
        choices: [heartbeat, tools, tcp, http, command]
      vms:
        description:
          - What is checked. V(stopped) - each virtual machine that the run stopped for the host. V(ran_here) - each virtual machine that
            ran on the host when it was started, wherever it is now. V(named) - the virtual machines in O(ready_when[].names), after every
            host. V(none) - the host as a whole, once; for V(http), V(tcp) and V(command).
        type: str
        choices: [stopped, ran_here, named, none]
        default: stopped
      names:
        description:
          - Names of virtual machines. The wildcards C(*) and C(?) are allowed. Limits V(stopped) and V(ran_here) to them. For V(named),
            each name must match a virtual machine in these clusters, otherwise no host is started.
        type: list
        elements: str
        default: []
      timeout:
        description: Seconds for one attempt. A command that takes longer is killed with all processes of its group.
        type: float
        default: 10
      port:
        description: Port, for V(tcp).
        type: int
      address:
        description:
          - Name or address to connect to, for V(tcp). C({address}) is the IP address that VMware Tools report, C({vm}) the name of the
            virtual machine, C({moid}) its managed object id, C({host}) and C({cluster}) the names of the host and its cluster.
            O(ready_when[].url), O(ready_when[].argv) and O(ready_when[].environment) may contain the same.
        type: str
        default: "{address}"
      url:
        description: URL for V(http), such as V(https://{vm}.example.com/health). Names are quoted. Redirects are not followed.
        type: str
      status:
        description: HTTP status codes that count as success.
        type: list
        elements: int
        default: [200]
      validate_certs:
        description: Whether the TLS certificate must be trusted.
        type: bool
        default: true
      ca_path:
        description: PEM file with the trusted CA certificates, in addition to those of the system.
        type: path
      proxy:
        description: URL of an HTTP proxy for V(http). Proxies of the environment are never used.
        type: str
      argv:
        description:
          - The absolute path of a program and its arguments, for V(command). No shell is used. The program gets C(PATH), C(HOME), the
            locale, O(ready_when[].environment), and C(DIRECTPATH_VM), C(DIRECTPATH_ADDRESS), C(DIRECTPATH_MOID), C(DIRECTPATH_HOST) and
            C(DIRECTPATH_CLUSTER), but no other variable of this task. It should only look, because it may run several times.
        type: list
        elements: str
        default: []
      environment:
        description: Further environment variables for V(command). Not for secrets - let the program read them from a file.
        type: dict
        default: {}
  ready_timeout:
    description: Seconds to wait, after a host is back, until all checks of O(ready_when) have succeeded; the same again after O(soak).
    type: int
    default: 600
  canary_soak:
    description:
      - Seconds to wait between a canary and the other hosts of its model, and after each of O(checkpoints), in addition to O(soak). No host
        counts as unavailable during this time.
    type: float
    default: 0
  checkpoints:
    description: Numbers of finished hosts, or percentages, after which the run waits O(canary_soak) seconds before it starts the next host.
    type: list
    elements: str
    default: []
  max_failures:
    description:
      - After this many failed hosts, no further host is started. A number or a percentage. Failures in another vCenter do not count.
    type: str
    default: "1"
  windows:
    description:
      - Maintenance windows, in which hosts may be started. A host is started only if it will be done before the window closes. The duration
        is estimated from O(measured) or from hosts of the same model in this run.
    type: list
    elements: dict
    default: []
    suboptions:
      days:
        description: Days on which the window opens, such as V(sat). When empty, every day.
        type: list
        elements: str
        default: []
      start:
        description: Time of day at which it opens, such as V(22:00).
        type: str
        required: true
      end:
        description: Time of day at which it closes. If it is not later than O(windows[].start), it is on the next day.
        type: str
        required: true
      zone:
        description: Time zone, such as V(Europe/Berlin).
        type: str
        default: UTC
  order:
    description:
      - A mapping of host name to a word or a list of words, such as zone and rack. Hosts are rebooted in the order of these words. Numbers
        in words are compared as numbers, so that rack-2 comes before rack-10. Hosts that are not in the mapping come last.
      - Hosts with equal words are ordered by their cluster (most remaining work first), then by estimated duration (longest first), then by
        load (lowest first).
    type: dict
    default: {}
  full_post:
    description:
      - Whether the reboot must run the power-on self-test of the firmware. Then hosts that support Quick Boot are blocked, because the API
        does not report whether Quick Boot is enabled.
    type: bool
    default: false
  operator_maintenance:
    description:
      - What to do with hosts that another user put into maintenance mode. V(block) blocks them. V(use) reboots them and leaves them in
        maintenance mode.
    type: str
    choices: [block, use]
    default: block
  failed_hosts:
    description:
      - What to do with hosts that failed in an earlier run. V(keep) leaves them in maintenance mode. V(verify) verifies them again without
        another reboot, and returns them to service if the verification succeeds.
    type: str
    choices: [keep, verify]
    default: keep
  pinned_vms:
    description:
      - What to do with running virtual machines that cannot be migrated because they hold a device, are on a local datastore or have a
        medium of their host connected. V(fail) blocks their host. V(shutdown) shuts down the guest operating system.
        V(shutdown_then_power_off) does the same, and does a hard power-off when the guest is not off after O(stop_timeout).
    type: str
    choices: [fail, shutdown, shutdown_then_power_off]
    default: fail
  vm_order:
    description:
      - A mapping of a virtual machine (name, inventory path or managed object id) to a number. Virtual machines with lower numbers are shut
        down first and powered on last. Those with the same number are handled together. The custom attribute C(directpath.stop_order) of a
        virtual machine is used as well.
    type: dict
    default: {}
  vm_order_tags:
    description:
      - As O(vm_order), by vSphere tags. A mapping of C(category/tag), or the id of a tag, to a number. O(vm_order) and the custom attribute
        take precedence. If a virtual machine has several tags, the highest number is used. Requires vCenter 6.5 or later and the Python
        library requests.
    type: dict
    default: {}
  never_stop:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are never shut down. Their host is blocked while they are
        pinned to it.
      - A name that matches no virtual machine, or two of one vCenter, is refused. The message suggests similar names.
    type: list
    elements: str
    default: []
  never_stop_missing:
    description:
      - Names in O(never_stop) whose virtual machine may be gone, or is in another vCenter. For them, a missing virtual machine is no
        error.
    type: list
    elements: str
    default: []
  never_stop_tags:
    description:
      - As O(never_stop), by vSphere tags in the form of O(vm_order_tags). While the tags cannot be read, no host is started whose virtual
        machines would be shut down.
    type: list
    elements: str
    default: []
  wait_for_tools:
    description: Whether to wait, for at most five minutes, until VMware Tools run in a virtual machine that was powered on.
    type: bool
    default: true
  allow_build_change:
    description:
      - Build numbers of ESXi with which a host may come back although it had another build before its reboot. Name the build here if
        an update was staged that this reboot activates.
      - A host that comes back with any other build is reported with both builds and stays in maintenance mode. An older build means that
        it booted from its alternate boot bank.
    type: list
    elements: str
    default: []
  ignore_alarms:
    description: Names of alarms that do not block a host. The wildcards C(*) and C(?) are allowed.
    type: list
    elements: str
    default: []
  evacuate_powered_off:
    description: Whether powered-off virtual machines are also migrated to other hosts.
    type: bool
    default: false
  vsan_mode:
    description: What vSAN does with the data of the host. By default, vCenter decides.
    type: str
    choices: [ensureObjectAccessibility, evacuateAllData, noAction]
  drain_timeout:
    description: Seconds to wait until a host is evacuated and in maintenance mode, including the shutdown of virtual machines.
    type: int
    default: 1800
  stop_timeout:
    description: Seconds to wait until a guest is shut down.
    type: int
    default: 300
  reboot_timeout:
    description: Seconds to wait until a host is connected again. Servers with much memory or many cards need 10 to 20 minutes.
    type: int
    default: 2700
  verify_timeout:
    description: Seconds to wait, after the host is connected, until its devices, datastores and uplinks are verified.
    type: int
    default: 300
  leave_timeout:
    description: Seconds to wait until the host has left maintenance mode.
    type: int
    default: 600
  restore_timeout:
    description: Seconds to wait, after that, until all virtual machines that were shut down for it are running.
    type: int
    default: 900
  expected_minutes:
    description: Estimated duration of a host that was never measured, for windows and schedules.
    type: dict
    suboptions:
      drain:
        description: Minutes until the host is evacuated. The default is 5.
        type: float
      reboot:
        description: Minutes until the host is connected again. The default is 15.
        type: float
      settle:
        description: Minutes for the verification and to power on virtual machines. The default is 2.
        type: float
  measured:
    description: RV(measured) of an earlier result. A mapping of hosts or models to the seconds of C(drain), C(reboot) and C(settle).
    type: dict
    default: {}
  take_lock:
    description:
      - When to take over the lock that another run holds on a cluster. V(never), V(stale) (when it has not been renewed for its time to
        live) or V(force) (at once). A lock is stale at once if its process ran on the same machine and is known to have ended.
    type: str
    choices: [never, stale, force]
    default: stale
  lock_ttl:
    description:
      - Time to live of a lock in seconds. Other runs may take over the lock when its owner has not renewed it for this time. At least 60.
    type: int
    default: 300
  blocked_timeout:
    description:
      - Seconds to wait for blocked hosts when no other work is left, counted from the last progress.
      - When it is not set, the run waits up to an hour for hosts whose blockers usually end by themselves (vSAN resynchronization, other
        tasks, a lifecycle manager at work), and checks other blocked hosts once more.
      - Also how long to wait for the end of a pause (M(directpath.vsphere.rolling_reboot_pause)). When it is not set, without a limit.
      - The alias V(patience) is deprecated and will be removed in 2.0.0.
    type: float
    aliases: [patience]
  pause_file:
    description:
      - While this file exists on the machine where the module runs, no further host is started. Its first line is shown as the reason. The
        custom attribute C(directpath.roll.pause) of a cluster or of the root folder, which M(directpath.vsphere.rolling_reboot_pause) sets,
        has the same effect.
    type: path
  journal:
    description:
      - Where to store the journal. V(auto) stores it in vCenter if the account has the privileges, otherwise in a file. RV(journal) of the
        result shows the place and the reason.
    type: str
    choices: [auto, vcenter, file]
    default: auto
  journal_dir:
    description: Directory for the file. It must still exist after the run, and must be shared by every controller that may resume the run.
    type: path
    default: ~/.ansible/directpath
  slice:
    description:
      - Seconds after which the module returns even if the rolling reboot is not over (RV(ended) is false). Call it again with the same
        O(run_id) to continue. 0 means no limit. Nothing is interrupted.
    type: float
    default: 0
  run_id:
    description: Identifies a run of several slices. Generated by default.
    type: str
  continue_run:
    description:
      - Whether this slice continues the run of an earlier slice. If so, the module waits for a server that does not answer, because it may
        be the host that is being rebooted. The action plugin sets it.
      - The alias V(goes_on) is deprecated and will be removed in 2.0.0.
    type: bool
    default: false
    aliases: [goes_on]
  stopped_vms:
    description:
      - Managed object ids of the virtual machines that earlier slices of this run shut down. The last slice fails while one of them is off,
        whatever the journal contains. The action plugin sets it.
    type: list
    elements: str
    default: []
  earlier_slices:
    description:
      - RV(earlier_slices) of an earlier slice of this run. It contains the clock of the run, hosts in progress, and the virtual machines
        that are shut down for them, so that timeouts continue, and a host that is removed between two slices is reported. The action
        plugin sets it.
    type: dict
    default: {}
  shared_dir:
    description:
      - Directory in which the module stores the present state of the run for the timeline page, and looks for a request to stop. The action
        plugin sets it.
    type: path
  stop_reason:
    description:
      - If it is not empty, no host is started. Hosts in progress are finished, and RV(state) is V(interrupted). The action plugin sets it
        after a signal.
    type: str
    default: ''
  resolved:
    description:
      - RV(resolved) of an earlier slice of this run. It maps the names in the options to managed object ids, so that hosts, clusters and
        virtual machines that are renamed or moved during the run are still found. The action plugin sets it.
    type: dict
    default: {}
  progress:
    description:
      - How to show progress while the task runs. V(auto) prints one line for each change, and redraws a progress bar if the output is a
        terminal. V(lines) prints only the lines. V(none) prints nothing. Has an effect only when the module is called through its action
        plugin.
    type: str
    choices: [auto, lines, none]
    default: auto
  progress_file:
    description: File to which the module appends one line of JSON for every event.
    type: path
  timeline_html:
    description:
      - File for a page with the timeline of the rolling reboot. The action plugin writes it on the controller, from the first step on, and
        replaces it as a whole. A new file is readable by its owner only. A relative path starts at the directory in which
        C(ansible-playbook) was started. The absolute path is printed at the beginning and at the end.
    type: path
  timeline_json:
    description: File for the same data as JSON. Written in the same way.
    type: path
  option_prefix:
    description:
      - Prefix of the options in messages. For roles that pass their variables to this module. With V(rolling_reboot_), messages say C(set
        rolling_reboot_failed_hosts) in place of C(set failed_hosts). Has an effect only when the module is called through its action
        plugin.
    type: str
    default: ''
  option_names:
    description:
      - A mapping of options to their names in messages, for those that O(option_prefix) alone does not name correctly. Has an effect only
        with O(option_prefix).
    type: dict
    default: {}
seealso:
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: Show the schedule of a rolling reboot of two clusters
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
  check_mode: true
  register: planned

- name: Reboot the hosts that require a reboot, one host of a cluster at a time
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
    devices: [{match: "10de:20f1"}]

- name: Reboot a quarter of each cluster at a time, and shut down pinned virtual machines
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
    max_unavailable: 25%
    pinned_vms: shutdown_then_power_off
    never_stop: [vcsa-01]
    vm_order: {web-01: 10, db-01: 20}
    never_stop_tags: [Policy/never-stop]

- name: Go to the next host only when the storage controller VM of the last one has been ready for five minutes
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a]
    pinned_vms: shutdown
    soak: 300
    ready_when:
      - check: heartbeat
      - {check: tcp, names: ["svm-*"], port: 3260}

- name: Reboot one host after a firmware update of a card, although no reboot is pending
  directpath.vsphere.host_rolling_reboot:
    hosts: [esx-01]
    reboot_if: always
    full_post: true

- name: Reboot the hosts that have not booted since the firmware update of their cards
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a]
    reboot_if: always
    booted_before: "2026-01-05T08:00:00Z"

- name: Reboot one host that is already in maintenance mode, and leave it there
  directpath.vsphere.host_rolling_reboot:
    hosts: [esx-01]
    reboot_if: always
    operator_maintenance: use
    reboot_timeout: 3600
"""

RETURN = r"""
outlets:
  description:
    - For each outlet (O(notify), O(metrics_file), O(traces), O(vcenter_events)) its C(name), how many events were C(sent) and C(lost), and
      why the last one was lost (C(why)).
  returned: when an outlet is set, and not in check mode
  type: list
  elements: dict
  sample: [{name: "notify https://hooks.example.com", sent: 24, lost: 0, why: ""}]
state:
  description:
    - V(finished), V(halted) (too many failures), V(stalled) (the remaining hosts need an administrator), V(interrupted) (stopped by a
      signal, with nothing left in progress), V(working) or V(waiting) (the slice ended before the run), V(planned) (check mode).
  returned: always, once hosts were read
  type: str
reasons:
  description: Reasons for RV(state).
  returned: always, once hosts were read
  type: list
  elements: str
ended:
  description: Whether the run is over. If not, call the module again.
  returned: always, once hosts were read
  type: bool
hosts:
  description: The selected hosts, and other hosts of their clusters that are in progress, sorted by name.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: Name of the host., type: str, returned: always}
    moid: {description: Its managed object id., type: str, returned: always}
    cluster: {description: Its cluster., type: str, returned: always}
    status:
      description: "V(ok) (no reboot required), V(changed), V(refused) (blocked), V(failed) or V(not_reached)."
      type: str
      returned: always
    phase:
      description: >-
        V(idle) (no reboot required), V(waiting), V(blocked), V(draining), V(maintenance), V(rebooting), V(booting), V(verifying),
        V(leaving), V(restoring), V(checking) (O(soak), O(ready_when)), V(done), V(returned) (to service without a reboot, because a
        restore or a signal requested it) or V(failed).
      type: str
      returned: always
    reason: {description: Why it is in this phase., type: str, returned: always}
    blockers: {description: What blocks the host., type: list, elements: dict, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    vms: {description: Virtual machines that are shut down for it now., type: list, elements: str, returned: always}
    boot_time_before: {description: Boot time before the reboot in seconds since the epoch., type: float, returned: when known}
    boot_time_after: {description: Boot time after the reboot in seconds since the epoch., type: float, returned: when rebooted}
    seconds: {description: Duration of drain and reboot., type: dict, returned: when known}
rebooted:
  description: Names of the hosts that were rebooted and verified.
  returned: always, once hosts were read
  type: list
  elements: str
in_progress:
  description:
    - Hosts in progress (C(hosts)), virtual machines that are off or shutting down because of this run (C(vms_off)), and how many seconds it
      takes at most, by the timeouts, to finish them if no further host is started (C(at_most)).
  returned: in a real run
  type: dict
  sample: {hosts: [{name: esx-01, cluster: gpu-a, phase: rebooting, since: 1795921920}], vms_off: [], at_most: 4500}
stopped_vms:
  description: Managed object ids of the virtual machines that this run shut down.
  returned: in a real run
  type: list
  elements: str
earlier_slices:
  description: The clock of the run, hosts in progress and virtual machines shut down for them, for O(earlier_slices) of the next slice.
  returned: in a real run
  type: dict
resolved:
  description: Managed object ids of the objects that the options name, for O(resolved) of the next slice of the same run.
  returned: always, once hosts were read
  type: dict
changes:
  description: The changes. Check mode lists the same changes as a real run without failures.
  returned: always, once hosts were read
  type: list
  elements: dict
counts:
  description: Numbers of hosts, for a progress bar.
  returned: always, once hosts were read
  type: dict
  sample: {total: 3, done: 3, in_flight: 0, waiting: 0, blocked: 0, returned: 0, failed: 0}
schedule:
  description: When each host is rebooted, which virtual machines are migrated and shut down for it, and which hosts are left.
  returned: in check mode
  type: dict
timeline:
  description: Phases of hosts and of virtual machines that were shut down, with times, and the time at which this run began (C(began)).
  returned: always, once hosts were read
  type: dict
transitions:
  description: The timeline as a list of events.
  returned: always, once hosts were read
  type: list
  elements: dict
notes:
  description: Other events - lost connections, locks that were taken over, what paused the whole rolling reboot and until when.
  returned: always, once hosts were read
  type: list
  elements: str
resume:
  description: How to continue with the hosts that are not done.
  returned: always, once hosts were read
  type: list
  elements: str
measured:
  description: Duration of each host, for O(measured) of another run.
  returned: always, once hosts were read
  type: dict
journal:
  description: Where the journal is stored, and why.
  returned: always, once hosts were read
  type: dict
  sample: {kind: vcenter, place: "custom attributes", why: any controller can resume the run from there}
summary:
  description: The result in one sentence.
  returned: always, once hosts were read
  type: str
error_code:
  description: Machine-readable reason of the failure.
  returned: failure
  type: str
calls:
  description: Number of API calls.
  returned: always, once hosts were read
  type: int
logins:
  description: Number of logins.
  returned: always, once hosts were read
  type: int
server_time:
  description: Time of the server at the end, in seconds since the epoch. All other times are in this unit, too.
  returned: always, once hosts were read
  type: float
"""

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import Work, run
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.host_rolling_reboot import (
    patience,
    reboot_hosts,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.arguments import ARGUMENTS, CONSTRAINTS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.options import RollingRequest


def main() -> None:
    run(Work(arguments=ARGUMENTS, constraints=CONSTRAINTS, parse=RollingRequest.of, do=reboot_hosts, patience=patience))


if __name__ == "__main__":
    main()
