# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of graphics cards and accelerators, in GB, by vendor and device id. PRIVATE to the collection.

The API does not report BAR sizes. A card with a large BAR maps all its memory (data center cards, and others when Resizable BAR is on in
the firmware), so the plan uses its memory size. Sources: the PCI ID repository (pci-ids.ucw.cz) for ids, vendor data sheets for sizes.
When one id has models of several sizes, the table has the largest.
"""

from __future__ import annotations

from collections.abc import Mapping

_NVIDIA = {
    # Pascal, Volta and Turing for data centers: P100, P40, P4, V100, T4
    "15f7": 12, "15f8": 16, "15f9": 16, "1b38": 24, "1bb3": 8,
    "1db1": 16, "1db4": 16, "1db5": 32, "1db6": 32, "1db8": 32, "1df6": 32, "1eb8": 16,
    # Ampere: A100, A30, A800, A40, A10, A2 and A16
    "20b0": 40, "20b1": 40, "20b2": 80, "20b3": 64, "20b5": 80, "20b7": 24, "20b8": 80, "20bd": 40,
    "20f1": 40, "20f3": 80, "20f5": 80, "20f6": 40, "2235": 48, "2236": 24, "2237": 24, "25b6": 16,
    # Hopper: H100, H800, H20, H200, GH200
    "2321": 94, "2322": 80, "2324": 80, "2329": 96, "232c": 141, "2330": 80, "2331": 80, "2335": 141,
    "2337": 64, "2338": 96, "2339": 94, "233a": 94, "233b": 141, "233d": 96, "2342": 96, "2348": 144,
    # Ada: L40, L20, L40G, L40S, L2, L4
    "26b5": 48, "26b7": 48, "26b8": 24, "26b9": 48, "26ba": 48, "27b6": 24, "27b8": 24,
    # Blackwell: B200, GB200, B100, B300, GB300
    "2901": 192, "2909": 168, "2941": 192, "29bc": 192, "3182": 288, "31c2": 288, "31c3": 288,
    # Workstation: Quadro RTX, T1000, RTX A6000 to A400, RTX Ada, RTX PRO Blackwell
    "1e30": 48, "1e36": 24, "1e78": 48, "1eb0": 16, "1eb1": 8, "1fb1": 4, "1ff0": 8, "1ff2": 4,
    "2230": 48, "2231": 24, "2232": 20, "2233": 24, "24b0": 16, "2531": 6, "2571": 12, "25b0": 8, "25b2": 4,
    "26b1": 48, "26b2": 32, "27b0": 20, "27b2": 20, "28b0": 16,
    "2bb1": 96, "2bb2": 96, "2bb3": 72, "2bb5": 96, "2c31": 32, "2c33": 24, "2c34": 24, "2c3a": 32, "2d30": 16,
    # GeForce RTX 20, 30, 40 and 50, TITAN RTX
    "1e02": 24, "1e03": 12, "1e04": 11, "1e07": 11, "1e81": 8, "1e82": 8, "1e84": 8, "1e87": 8, "1e89": 6,
    "1f02": 8, "1f03": 12, "1f06": 8, "1f07": 8, "1f08": 6,
    "2203": 24, "2204": 24, "2206": 12, "2208": 12, "220a": 12, "2216": 12, "2414": 8, "2482": 8, "2484": 8,
    "2486": 8, "2487": 12, "2488": 8, "2489": 8, "24c7": 8, "24c9": 8, "2503": 12, "2504": 12, "2544": 12,
    "2582": 8, "2584": 6,
    "2684": 24, "2685": 24, "2702": 16, "2704": 16, "2705": 16, "2709": 12, "2782": 12, "2783": 12, "2786": 12,
    "2788": 16, "2803": 8, "2805": 16, "2808": 8, "2882": 8,
    "2b85": 32, "2b87": 32, "2b8c": 24, "2c02": 16, "2c05": 16, "2d04": 16, "2d05": 8, "2d83": 8, "2f04": 12,
}  # fmt: skip

_AMD = {
    # Instinct MI50, MI100, MI210, MI250 (each of its two halves), MI300, MI325X, MI350, MI355X
    "66a1": 32, "738c": 32, "7408": 64, "740c": 64, "740f": 64, "74a0": 128, "74a1": 192, "74a2": 192,
    "74a5": 256, "75a0": 288, "75a3": 288,
    # Radeon PRO V620, W6800, W6600, W6400, W7900, W7800, V710, W7700, W7500, R9700
    "73a1": 32, "73a3": 32, "73e3": 8, "7422": 4, "7448": 48, "7449": 48, "744a": 48, "745e": 32, "7460": 28,
    "7461": 28, "7470": 16, "7489": 8, "7551": 32,
    # Radeon RX 6800 to 6950, 7600 to 7900, 9060, 9070
    "73a5": 16, "73af": 16, "73bf": 16, "744c": 24, "747e": 16, "7480": 16, "7550": 16, "7590": 16,
}  # fmt: skip

_INTEL = {
    # Data Center GPU Max and Flex
    "0b6e": 48, "0bd5": 128, "0bd6": 128, "0bd7": 96, "0bd8": 96, "0bd9": 48, "0bda": 48, "0bdb": 48,
    "56c0": 16, "56c1": 6, "56c2": 16,
    # Arc A and B, Arc Pro
    "56a0": 16, "56a1": 8, "56a2": 8, "56a5": 6, "56a6": 4, "56b1": 6, "56b3": 12,
    "e20b": 12, "e20c": 10, "e211": 24, "e212": 16,
}  # fmt: skip

MODEL_MEMORY_GB: Mapping[str, int] = {
    f"{vendor}:{device}": size
    for vendor, models in (("10de", _NVIDIA), ("1002", _AMD), ("8086", _INTEL))
    for device, size in models.items()
}
"""``vendor:device`` → memory in GB."""
