# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of outlets: where a task publishes what it does."""

    DOCUMENTATION = r"""
options:
  notify:
    description:
      - Sends events to these receivers while the task runs. A receiver that does not answer delays nothing and fails nothing. At the
        end, one warning shows how many events it did not get. Nothing is sent in check mode.
      - The action plugin sends them from the controller.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description:
          - Where to send the events. An C(https://) URL gets each event as JSON, in a POST request. Its certificate is verified and
            redirects are not followed. Any other URL is one of the Python package C(apprise), which must be installed on the controller,
            such as C(slack://...).
          - The URL is a secret. Messages show the scheme and the host only, and of other URLs than C(https://) only the scheme.
        type: str
        required: true
      secret:
        description:
          - Signs each event. The header C(X-Directpath-Signature) contains C(sha256=) and the HMAC-SHA256, with this secret, over the value
            of the header C(X-Directpath-Timestamp), a period and the body. At least 16 characters. Only for C(https://) URLs.
        type: str
      events:
        description: The events to send. By default, all but V(heartbeat).
        type: list
        elements: str
        choices: [run_started, run_ended, host_phase, host_failed, vm_stopping, vm_off, vm_on, heartbeat, drift]
        default: [run_started, run_ended, host_phase, host_failed, vm_stopping, vm_off, vm_on, drift]
      timeout:
        description: Seconds for one attempt. From 0.1 to 300.
        type: float
        default: 10
      ca_path:
        description: PEM file with the trusted CA certificates, in addition to those of the system. Only for C(https://) URLs.
        type: path
      proxy:
        description: URL of an HTTP proxy. Proxies of the environment are never used. Only for C(https://) URLs.
        type: str
  metrics_file:
    description:
      - File for metrics in the text format of Prometheus, for the textfile collector of the node exporter. Its name must end with C(.prom).
        It is replaced as a whole. Other users may read a new file. It is not written in check mode.
      - Each vCenter needs a file of its own, and so do a rolling reboot and a drift report. A file with the metrics of another one is
        refused.
    type: path
"""

    RUNS = r"""
options:
  traces:
    description:
      - Sends a trace to OpenTelemetry, with a span for the run, for each host and for each of its phases. Requires the Python packages
        C(opentelemetry-sdk) and an exporter, such as C(opentelemetry-exporter-otlp-proto-http), on the controller. The environment
        variables of OpenTelemetry, such as C(OTEL_EXPORTER_OTLP_ENDPOINT), say where. C(TRACEPARENT) names the parent span.
    type: bool
    default: false
"""

    VCENTER = r"""
options:
  vcenter_events:
    description:
      - Writes each change of the phase of a host, and each shutdown and power-on of a virtual machine, to the event log of vCenter, on the
        object. Requires the privilege C(Global.LogEvent). Without it, the task goes on, and a warning names what was not written.
    type: bool
    default: false
"""
