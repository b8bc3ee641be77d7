#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_rolling_reboot
short_description: Reboot ESXi hosts of many clusters, few at a time, with proof, and go on after anything
version_added: 0.1.0
author:
  - directpath.vsphere contributors (@directpath-vsphere)
description:
  - Reboots hosts whose PCI passthrough waits for it, as many at a time as may be down, in every cluster at once.
  - Before a host is touched, everything that would stand in the way is looked for and named - red alarms, virtual machines that cannot be
    moved, capacity, HA and DRS, vSAN, other people's maintenance mode and tasks. A blocked host holds up no other, and is looked at again.
  - Virtual machines that cannot be moved are stopped where that is allowed (O(pinned_vms)), recorded before they are stopped, and started
    again in reverse order on their host, also after a crash of this program.
  - A reboot is proven by a new boot time, the uptime and answering services; then every device that was passed through has to be the same
    hardware and in force, and datastores and uplinks as before. Only then the host leaves maintenance mode.
  - A host that fails stays in maintenance mode, and is never rebooted a second time for the same reason.
  - What is intended is written into a journal in vCenter (custom attributes) before it is done. A run that was killed, wherever it ran, is
    gone on with by calling the same again. An ESXi host that is asked itself keeps its journal in a file on the controller.
  - In check mode the whole schedule is given, with all virtual machines that would be stopped, and nothing is written.
  - Never forced. Every wait has a deadline.
extends_documentation_fragment:
  - directpath.vsphere.connection
  - directpath.vsphere.attributes
  - directpath.vsphere.selectors.HOSTS
  - directpath.vsphere.selectors.DEVICES
  - directpath.vsphere.selectors.TARGETS
options:
  reboot_if:
    description:
      - V(pending) reboots hosts that owe it. V(always) reboots every host that is named, once, for example after a card's firmware was
        updated; which hosts had their turn is in the journal until all had it.
    type: str
    choices: [pending, always]
    default: pending
  booted_before:
    description:
      - With O(reboot_if=always), only hosts that have not booted since this moment are rebooted, by the boot time they show. Give the time
        at which the firmware was written, as ISO 8601 with its zone, such as V(2026-01-05T08:00:00Z) - the same task can then be run
        again at any time, and changes nothing where every host has booted since.
    type: str
  expect_pending:
    description:
      - Names of hosts that a change which is planned and not made yet will leave waiting for a reboot. Only used in check mode.
    type: list
    elements: str
    default: []
  expect_settled:
    description:
      - Names of hosts that wait for a reboot now, and on which a planned change will put every device in effect without one, as a device
        that was disabled is enabled again. Only used in check mode.
    type: list
    elements: str
    default: []
  assume_detached:
    description:
      - Virtual machines, by name, inventory path or managed object id, that a planned change will have freed of their devices. Only used
        in check mode.
    type: list
    elements: str
    default: []
  on_missing:
    description:
      - Whether a host that lacks a device of O(targets) or O(devices) fails the verification after its reboot, or is content with those
        that it has, as in M(directpath.vsphere.host_passthrough). A device that was there before the reboot must be there after it.
    type: str
    choices: [fail, skip]
    default: fail
  allow_protected:
    description:
      - Protected devices that the reboot may take from their host, as in M(directpath.vsphere.host_passthrough).
    type: list
    elements: str
    default: []
  method:
    description:
      - V(power_cycle) shuts the host down and powers it on through its management controller, so that its cards lose power. Needs O(bmc).
    type: str
    choices: [reboot, power_cycle]
    default: reboot
  bmc:
    description:
      - Management controllers (Redfish) of the hosts, for O(method=power_cycle). Entries for hosts that are not here are passed over.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name of the ESXi host.
        type: str
        required: true
      address:
        description: Name or address of its management controller, with a port where that is not 443.
        type: str
        required: true
      username:
        description: Account of the controller.
        type: str
      password:
        description: Password of that account.
        type: str
      validate_certs:
        description: Whether the controller's TLS certificate has to be trusted.
        type: bool
      ca_path:
        description: PEM file with the CA certificates to trust.
        type: path
      auth:
        description: How to log in. V(auto) takes a session where one can be had.
        type: str
        choices: [auto, session, basic]
      proxy:
        description: URL of an HTTP proxy.
        type: str
      system:
        description: Id of the system, where the controller has several.
        type: str
  bmc_defaults:
    description: What the entries of O(bmc) have in common.
    type: dict
    suboptions:
      username:
        description: As in O(bmc).
        type: str
      password:
        description: As in O(bmc).
        type: str
      validate_certs:
        description: As in O(bmc).
        type: bool
      ca_path:
        description: As in O(bmc).
        type: path
      auth:
        description: As in O(bmc).
        type: str
        choices: [auto, session, basic]
      proxy:
        description: As in O(bmc).
        type: str
      system:
        description: As in O(bmc).
        type: str
  max_unavailable:
    description:
      - How many hosts of a cluster may be down at once, for whatever reason - a number, or a percentage such as V(25%), rounded down and
        at least one. A vSAN cluster never has more than one down.
    type: str
    default: "1"
  cluster_max_unavailable:
    description: The same for single clusters, by name, inventory path or managed object id.
    type: dict
    default: {}
  fleet_max_unavailable:
    description:
      - How many hosts of all these clusters together may be down at once. Counted in one vCenter - hosts that another task, or another
        vCenter, has down at the same time do not count.
    type: str
  canary:
    description: Whether the first host of each hardware model goes alone, and the others of it follow when it is done.
    type: bool
    default: true
  soak:
    description: Seconds between a canary and the others of its model, and after each of O(checkpoints).
    type: float
    default: 0
  checkpoints:
    description: Numbers of finished hosts, or percentages, after which O(soak) is waited before any further host is started.
    type: list
    elements: str
    default: []
  max_failures:
    description:
      - No host is started any more once so many have failed - a number or a percentage. Failures in another vCenter do not count.
    type: str
    default: "1"
  windows:
    description:
      - Hours in which hosts may be started. No host is started that would not be done before the window closes, by O(measured) or by what
        hosts of its model took in this roll.
    type: list
    elements: dict
    default: []
    suboptions:
      days:
        description: Days on which it opens, such as V(sat). None means every day.
        type: list
        elements: str
        default: []
      start:
        description: Time of day at which it opens, such as V(22:00).
        type: str
        required: true
      end:
        description: Time of day at which it closes; not after O(windows[].start) means the next day.
        type: str
        required: true
      zone:
        description: Time zone, such as V(Europe/Berlin).
        type: str
        default: UTC
  order:
    description:
      - Host name to a word or a list of words (zone, rack) the hosts are sorted by. Numbers in words count as numbers, so that rack-2 comes
        before rack-10. Hosts that are not named come last. Of hosts that are sorted alike, those of the cluster with most left to do come
        first, then those known to take longest, then the least loaded.
    type: dict
    default: {}
  full_post:
    description:
      - Whether the reboot has to go through the firmware. Hosts that support Quick Boot are blocked then, as the API does not tell
        whether it is on.
    type: bool
    default: false
  operator_maintenance:
    description:
      - What becomes of hosts that somebody else put into maintenance mode. V(block) leaves them alone, V(use) reboots them and leaves them
        in maintenance mode.
    type: str
    choices: [block, use]
    default: block
  failed_hosts:
    description: V(verify) proves hosts again that failed in an earlier run, without another reboot, and releases those that hold.
    type: str
    choices: [keep, verify]
    default: keep
  pinned_vms:
    description:
      - What is done with running virtual machines that cannot be moved, as they hold a device, lie on a local datastore or have a medium of
        their host connected. V(fail) blocks their host. V(shutdown) asks the guest. V(shutdown_then_power_off) pulls the plug after
        O(stop_timeout).
    type: str
    choices: [fail, shutdown, shutdown_then_power_off]
    default: fail
  vm_order:
    description:
      - Name, inventory path or managed object id of a virtual machine to a number. Lower is stopped first and started last; the same
        number goes together. The custom attribute C(directpath.stop_order) of a virtual machine counts as well.
    type: dict
    default: {}
  vm_order_tags:
    description:
      - The same by vSphere tags - C(category/tag), or the id of a tag, to a number. Names in O(vm_order) and the custom attribute count
        more; of several tags of a virtual machine the highest number counts. Needs vCenter 6.5 or later, and the Python library requests.
    type: dict
    default: {}
  never_stop:
    description:
      - Virtual machines, by name, inventory path or managed object id, that are never stopped. Their host is blocked while they pin it.
      - A name that stands for two virtual machines of the vCenter is refused, and so is one that none has, with near names. With several
        vCenters, each gets the names of its own virtual machines.
    type: list
    elements: str
    default: []
  never_stop_tags:
    description:
      - The same by vSphere tags, as in O(vm_order_tags). While they cannot be read, no host is started of which virtual machines would be
        stopped.
    type: list
    elements: str
    default: []
  wait_for_tools:
    description: Whether a virtual machine that was started counts only when its VMware Tools report, for at most five minutes.
    type: bool
    default: true
  ignore_alarms:
    description: Names of alarms, with C(*) and C(?), that block nothing.
    type: list
    elements: str
    default: []
  evacuate_powered_off:
    description: Whether virtual machines that are off are moved to other hosts too.
    type: bool
    default: false
  vsan_mode:
    description: What happens to vSAN data of the host. Without it vCenter's default applies.
    type: str
    choices: [ensureObjectAccessibility, evacuateAllData, noAction]
  drain_timeout:
    description: Seconds from taking a host until it is empty and in maintenance mode, stopping virtual machines included.
    type: int
    default: 1800
  stop_timeout:
    description: Seconds for a guest to shut down.
    type: int
    default: 300
  reboot_timeout:
    description: Seconds until a host is back. Servers with much memory or many cards need 10 to 20 minutes.
    type: int
    default: 2700
  verify_timeout:
    description: Seconds from then until its devices, datastores and uplinks are proven.
    type: int
    default: 300
  leave_timeout:
    description: Seconds to leave maintenance mode.
    type: int
    default: 600
  restore_timeout:
    description: Seconds from then until all virtual machines that were stopped for it run again.
    type: int
    default: 900
  expected_minutes:
    description: What a host takes where nothing is known of it yet, for windows and schedules.
    type: dict
    suboptions:
      drain:
        description: Minutes until it is empty. 5 when not given.
        type: float
      reboot:
        description: Minutes until it is back. 15 when not given.
        type: float
      settle:
        description: Minutes for proof and restart of virtual machines. 2 when not given.
        type: float
  measured:
    description: RV(measured) of an earlier result. Names of hosts or models to seconds of C(drain), C(reboot) and C(settle).
    type: dict
    default: {}
  take_lock:
    description:
      - Whether the lock that another run holds on a cluster may be taken - V(never), once it gave no sign of life for its time to live, or
        at once. A lock whose process is known to have ended on this very machine counts as stale at once.
    type: str
    choices: [never, stale, force]
    default: stale
  lock_ttl:
    description: Seconds without a sign of life after which others may take our locks. At least 60.
    type: int
    default: 300
  patience:
    description:
      - Seconds for which blocked hosts are waited for when nothing else is left to do, from the last progress on. When it is not given,
        hosts whose blockers usually pass by themselves (vSAN copies, other tasks, a lifecycle manager at work) are waited for up to an
        hour, and others are looked at once more.
    type: float
  pause_file:
    description:
      - While this file exists on the machine the module runs on, no further host is started; its first line is shown as the reason. The
        custom attribute C(directpath.roll.pause) on a cluster or on the root folder does the same.
    type: path
  journal:
    description:
      - Where the journal is kept. V(auto) takes vCenter where the account may, and else a file. RV(journal) of the result says which, and
        why.
    type: str
    choices: [auto, vcenter, file]
    default: auto
  journal_dir:
    description: Directory for the file. It has to outlive the run, and every controller that may go on with it has to see it.
    type: path
    default: ~/.ansible/directpath
  slice:
    description:
      - Seconds after which the module returns although it is not over (RV(ended) is false) and is to be called again with the same
        O(run_id). 0 works until it is over. Nothing is interrupted by it.
    type: float
    default: 0
  run_id:
    description: Name of the process a run with several slices belongs to. Made where it is not given.
    type: str
  goes_on:
    description:
      - Says that this slice goes on with a run that an earlier one began. A server that does not answer is then waited for, as it may be
        the host itself that is being rebooted.
    type: bool
    default: false
  stopped_vms:
    description:
      - Managed object ids of the virtual machines that earlier slices of this run stopped. The last slice does not succeed while one of
        them is off, whatever the journal says. The action plugin sets it.
    type: list
    elements: str
    default: []
  resolved:
    description:
      - What the names of this run mean, as an earlier slice of it returned it (RV(resolved)). Hosts, clusters and virtual machines are
        followed by it when they are renamed or moved while the run lasts. The action plugin sets it.
    type: dict
    default: {}
  progress:
    description: How progress is shown while the task runs. Has an effect only where the module is called through its action plugin.
    type: str
    choices: [auto, lines, none]
    default: auto
  progress_file:
    description: File that gets a line of JSON for everything that happens.
    type: path
  timeline_html:
    description:
      - File for a page with the timeline of the roll, written by the action plugin on the controller. A relative path counts from where
        C(ansible-playbook) was started. The whole path is told at the end.
    type: path
  timeline_json:
    description: File for the same as data, likewise.
    type: path
  option_prefix:
    description:
      - What options are called with where a person reads of them - C(rolling_reboot_) makes C(set failed_hosts) in messages
        C(set rolling_reboot_failed_hosts). For roles that hand their variables on to this module. Has an effect only where the module is
        called through its action plugin.
    type: str
    default: ''
  option_names:
    description: Options that are called otherwise still, by their name here. Has an effect only with O(option_prefix).
    type: dict
    default: {}
seealso:
  - module: directpath.vsphere.host_passthrough
"""

EXAMPLES = r"""
- name: See what a rolling reboot of two clusters would do
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
  check_mode: true
  register: planned

- name: Reboot what owes it, one host of a cluster at a time
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
    devices: [{match: "10de:20f1"}]

- name: Reboot a quarter of each cluster at a time, and stop virtual machines that cannot be moved
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a, gpu-b]
    max_unavailable: 25%
    pinned_vms: shutdown_then_power_off
    never_stop: [vcsa-01]
    vm_order: {web-01: 10, db-01: 20}
    never_stop_tags: [Policy/never-stop]

- name: Reboot one host although it owes nothing, as the firmware tool of a card asks for it
  directpath.vsphere.host_rolling_reboot:
    hosts: [esx-01]
    reboot_if: always
    full_post: true

- name: Reboot the hosts that have not booted since the firmware of their cards was written, however often this is run
  directpath.vsphere.host_rolling_reboot:
    cluster: [gpu-a]
    reboot_if: always
    booted_before: "2026-01-05T08:00:00Z"

- name: Reboot one host that is in maintenance mode already, whatever it owes, and leave it there
  directpath.vsphere.host_rolling_reboot:
    hosts: [esx-01]
    reboot_if: always
    operator_maintenance: use
    reboot_timeout: 3600
"""

RETURN = r"""
state:
  description:
    - V(finished), V(halted) (too many failures), V(stalled) (only hosts are left that need a person), V(working) or V(waiting) when a slice
      was over before, V(planned) in check mode.
  returned: always, once hosts were read
  type: str
reasons:
  description: Why it stands where it stands.
  returned: always, once hosts were read
  type: list
  elements: str
ended:
  description: Whether it is over. When not, the module is to be called again.
  returned: always, once hosts were read
  type: bool
hosts:
  description: The hosts that were asked for, and others of their clusters that are in progress, by name.
  returned: always, once hosts were read
  type: list
  elements: dict
  contains:
    name: {description: Name of the host., type: str, returned: always}
    moid: {description: Its managed object id., type: str, returned: always}
    cluster: {description: Its cluster., type: str, returned: always}
    status:
      description: "V(ok) (owed nothing), V(changed), V(refused) (blocked), V(failed) or V(not_reached)."
      type: str
      returned: always
    phase:
      description: >-
        V(idle) (owes nothing), V(waiting), V(blocked), V(draining), V(maintenance), V(rebooting), V(booting), V(verifying), V(leaving),
        V(restoring), V(done) or V(failed).
      type: str
      returned: always
    reason: {description: Why it is there., type: str, returned: always}
    blockers: {description: What stands in its way., type: list, elements: dict, returned: always}
    in_maintenance_mode: {description: Whether it is in maintenance mode., type: bool, returned: always}
    vms: {description: Virtual machines that are stopped for it now., type: list, elements: str, returned: always}
    boot_time_before: {description: Seconds since the epoch., type: float, returned: when known}
    boot_time_after: {description: Seconds since the epoch., type: float, returned: when rebooted}
    seconds: {description: How long drain and reboot took., type: dict, returned: when known}
rebooted:
  description: Names of the hosts that were rebooted and are proven.
  returned: always, once hosts were read
  type: list
  elements: str
stopped_vms:
  description: Managed object ids of the virtual machines that this run stopped.
  returned: in a real run
  type: list
  elements: str
resolved:
  description: Managed object ids of what the names in the options mean, for the next slice of the same run.
  returned: always, once hosts were read
  type: dict
changes:
  description: What changes, in check mode the same as in a real run in which nothing goes wrong.
  returned: always, once hosts were read
  type: list
  elements: dict
counts:
  description: Numbers of hosts, for a bar.
  returned: always, once hosts were read
  type: dict
  sample: {total: 3, done: 3, in_flight: 0, waiting: 0, blocked: 0, failed: 0}
schedule:
  description: When which host is rebooted, what is moved and stopped for it, and what is left.
  returned: in check mode
  type: dict
timeline:
  description: What hosts and stopped virtual machines went through, with times, and when this run looked first (C(began)).
  returned: always, once hosts were read
  type: dict
transitions:
  description: The same as a list of events.
  returned: always, once hosts were read
  type: list
  elements: dict
notes:
  description: What else happened - connections lost, locks taken, what held the whole roll back and until when.
  returned: always, once hosts were read
  type: list
  elements: str
resume:
  description: How to go on with hosts that are not done.
  returned: always, once hosts were read
  type: list
  elements: str
measured:
  description: How long each host took, for O(measured) of another run.
  returned: always, once hosts were read
  type: dict
journal:
  description: Where the journal is kept, and why there.
  returned: always, once hosts were read
  type: dict
  sample: {kind: vcenter, place: "custom attributes", why: any controller can go on from there}
summary:
  description: All of it in one sentence.
  returned: always, once hosts were read
  type: str
error_code:
  description: Why it failed, for machines.
  returned: failure
  type: str
calls:
  description: Round trips this took.
  returned: always, once hosts were read
  type: int
logins:
  description: Logins this took.
  returned: always, once hosts were read
  type: int
server_time:
  description: Time of the server at the end, in seconds since the epoch, as all times here.
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
