# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option with one letter wrong is refused with the right name, and names of other people pass."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.suggest import edits
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent import load
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.role_options import (
    EMERGENCY_OPTIONS,
    INVENTORY_FACTS,
    RETURNED,
    TAGS,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.variable_names import (
    DESIRED,
    KNOWN,
    OPTIONS,
    check_play,
    check_read,
    check_tags,
    suspects,
)

KINDS = ("deleted", "doubled", "swapped", "replaced")
FOREIGN = """
    ansible_host ansible_user ansible_become_password ansible_run_tags ansible_play_hosts_all
    ansible_python_interpreter ansible_facts ansible_date_time inventory_hostname group_names playbook_dir role_name
    vcenter_host vcenter_user vcenter_folder vcenter_datacenter vmware_host esxi_hostname bmc_address bmc_username
    verify_ssl verify_certs verify_backup verify_checksum verify_dns_servers verify_hosts verify_on_weekends
    directpath_owner directpath_cost_center directpath_ticket
    reboot_timeout reboot_order reboot_hosts firmware_version firmware_url firmware_devices hardware_vendor
    rolling_update rolling_release rolling_restart_hosts enable_monitoring enable_ssh attach_disks attach_volumes
    drift_check drift_threshold maintenance_hosts hardware_model restore_host restore_point passthrough_gpu_count_max
    nginx_version postgresql_databases zabbix_agent_server ntp_servers users
""".split()
"""Names that people have in the same inventory. One more is refused by another check: all names with passthrough_ are this collection's."""


def slips(name: str, kinds: tuple[str, ...] = KINDS) -> Iterator[tuple[str, str]]:
    """(what is wrong, the name with one letter wrong). A letter is replaced by one that is not its neighbor only."""
    for at, letter in enumerate(name):
        wrong = {
            "deleted": name[:at] + name[at + 1 :],
            "doubled": name[:at] + letter + name[at:],
            "swapped": name[:at] + name[at + 1 : at + 2] + letter + name[at + 2 :],
            "replaced": name[:at] + string.ascii_lowercase[(ord(letter) + 7 + at) % 26] + name[at + 1 :],
        }
        yield from ((kind, wrong[kind]) for kind in kinds if wrong[kind] != name)


def refuse(name: str) -> InputError:
    with pytest.raises(InputError) as caught:
        check_play([name], ())
    return caught.value


def check_slips(name: str, kinds: tuple[str, ...] = KINDS) -> int:
    number = 0
    for kind, wrong in slips(name, kinds):
        error = refuse(wrong)
        assert error.code == "unknown_variable", (name, kind, wrong)
        assert error.candidates[0] == name, (name, kind, wrong)
        assert f"{wrong} is" in error.message, (name, kind, wrong)
        assert name in error.message, (name, kind, wrong)
        assert "directpath_foreign_variables" in error.cure
        number += 1
    return number


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_of_every_option_is_wrong(kind: str) -> None:
    """Every option, and every kind of slip, at a place that differs from option to option. All places: in the next test."""
    number = 0
    for turn, name in enumerate(sorted(OPTIONS)):
        wrong = list(slips(name, (kind,)))
        _unused, first = wrong[turn % len(wrong)]
        assert refuse(first).candidates[0] == name
        number += 1
    assert number > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_each_letter_of_an_option_is_wrong(name: str) -> None:
    assert check_slips(name) > 3 * len(name)


def test_what_this_collection_reads_and_sets_is_known() -> None:
    names = [
        *KNOWN,
        *EMERGENCY_OPTIONS,
        *RETURNED,
        "directpath_stats_rebooted",
        "directpath_stats_anything",
        "__rolling_reboot_preview",
    ]
    check_play(names, ())
    check_play(INVENTORY_FACTS, ())
    assert {name for name in load.VARIABLES if name.startswith(load.PREFIX)} == set(DESIRED)


def test_a_fact_of_the_inventory_plugin_is_one_only_on_its_hosts() -> None:
    """directpath_host is the host of a VM. Without the plugin, it is directpath_hosts with a slip."""
    assert suspects(["directpath_host"], ["directpath_host", "directpath_type"], ()) == []
    assert suspects(["directpath_host"], ["directpath_host"], ()) == ["directpath_host"]


@pytest.mark.parametrize("name", FOREIGN)
def test_names_of_other_people_pass(name: str) -> None:
    check_play([name], ())


def test_a_name_that_is_listed_passes() -> None:
    check_play(["rolling_reboot_mail_to", "verify_on_mising"], ["rolling_reboot_mail_to", "verify_on_mising"])
    with pytest.raises(InputError, match="rolling_reboot_mail_to is not an option of the role rolling_reboot"):
        check_play(["rolling_reboot_mail_to"], ["rolling_reboot_mail"])


def test_the_prefix_of_a_role_alone_is_enough() -> None:
    error = refuse("rolling_reboot_colour")
    assert error.candidates, "there is no similar name: some options are listed"
    assert "is meant" not in error.message


def test_two_edits_with_shared_prefixes_and_slips_in_the_prefix() -> None:
    for name in ("verify_on_misingg", "directpath_host", "roling_reboot_never_stp", "pasthrough_vms"):
        assert "is almost" in refuse(name).message
    check_play(["verify_on_mis", "directpath_h", "roling_reboot_never_xyz"], ())


WRONG_TAGS = ["rolling_reboot_rebot", "rolling_rebot", "verify_now", "drift_report_html", "atach_devices_apply"]


@pytest.mark.parametrize("tag", WRONG_TAGS)
def test_a_tag_that_does_not_exist(tag: str) -> None:
    with pytest.raises(InputError, match=f"The tag {tag} does not exist") as caught:
        check_tags(["all", tag], ())
    assert caught.value.code == "unknown_tag"
    check_tags([tag], [tag])


def test_tags_that_exist_and_tags_of_other_people() -> None:
    check_tags([*TAGS, "all", "always", "never", "tagged", "untagged", "network", "firmware", "very", "notify"], ())


def test_playbooks_for_emergencies_look_at_their_own_options_only() -> None:
    check_read(["rolling_reboot_colour", "verify_on_mising", *EMERGENCY_OPTIONS, *FOREIGN[:20]], EMERGENCY_OPTIONS)
    for name in ("restore_host", "restore_take_locks", "rolling_reboot_journal_dirs", "directpath_hots"):
        with pytest.raises(InputError, match=name):
            check_read([name], EMERGENCY_OPTIONS)


WORDS = st.text("abc", max_size=6)


@given(WORDS, st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6)), max_size=2))
def test_two_slips_are_at_most_two_edits(word: str, mistakes: list[tuple[str, int]]) -> None:
    wrong = word
    for kind, at in mistakes:
        found = [changed for _unused, changed in slips(wrong, (kind,))]
        wrong = found[at % len(found)] if found else wrong
    # A swap after another slip may be undone only by changing both letters.
    assert edits(word, wrong, 4) <= 2 * len(mistakes)
    if len(mistakes) < 2:
        assert edits(word, wrong, 2) <= len(mistakes)


@given(WORDS, WORDS)
def test_edits_are_a_distance(one: str, other: str) -> None:
    assert edits(one, other, 9) == edits(other, one, 9)
    assert (edits(one, other, 9) == 0) == (one == other)
    assert edits(one, other, 9) >= abs(len(one) - len(other))
    assert edits(one, other, 1) == min(edits(one, other, 9), 2)
