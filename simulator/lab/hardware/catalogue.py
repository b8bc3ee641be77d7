# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware a lab can name in one word. Ids are those of the real products (pci.ids)."""

from __future__ import annotations

from dataclasses import dataclass

CLASS_NAMES = {
    0x0101: "IDE interface",
    0x0104: "RAID bus controller",
    0x0106: "SATA controller",
    0x0107: "Serial Attached SCSI controller",
    0x0108: "Non-Volatile memory controller",
    0x0200: "Ethernet controller",
    0x0300: "VGA compatible controller",
    0x0302: "3D controller",
    0x0403: "Audio device",
    0x0600: "Host bridge",
    0x0604: "PCI bridge",
    0x0880: "System peripheral",
    0x0C03: "USB controller",
    0x0C04: "Fibre Channel",
    0x1101: "Performance counters",
    0x1200: "Processing accelerators",
}

VENDORS = {
    0x1002: "Advanced Micro Devices, Inc. [AMD/ATI]",
    0x1022: "Advanced Micro Devices, Inc. [AMD]",
    0x1000: "Broadcom / LSI",
    0x1077: "QLogic Corp.",
    0x10DE: "NVIDIA Corporation",
    0x144D: "Samsung Electronics Co Ltd",
    0x14E4: "Broadcom Inc. and subsidiaries",
    0x15B3: "Mellanox Technologies",
    0x1A03: "ASPEED Technology, Inc.",
    0x102B: "Matrox Electronics Systems Ltd.",
    0x8086: "Intel Corporation",
    0x1AED: "SanDisk",
    0x1B4B: "Marvell Technology Group Ltd.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One function of a card. `capable` false: never offered for passthrough."""

    class_id: int
    vendor: int
    device: int
    name: str
    subvendor: int = 0
    subdevice: int = 0
    role: str = "other"
    driver: str = ""
    capable: bool = True
    resettable: bool = True
    bar_gb: float = 0.0
    max_vfs: int = 0
    vf_device: int = 0
    profiles: tuple[tuple[str, int], ...] = ()
    mig_profiles: tuple[str, ...] = ()
    sriov_vgpu: bool = False
    modes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A card: its functions, whether they reset only together (they then depend on the bridge), what it is used for.

    `embedded` cards have no slot. `disk_gb` and `use` describe the disk behind a storage controller; `adapters` is how
    many storage adapters it is at its one address.
    """

    parts: tuple[Part, ...]
    together: bool = False
    embedded: bool = False
    use: str = ""
    disk_gb: int = 0
    disk_model: str = ""
    adapters: int = 1


def _gpu(
    device: int,
    name: str,
    bar_gb: float,
    subdevice: int,
    profiles: tuple[tuple[str, int], ...] = (),
    *,
    mig: tuple[str, ...] = (),
    ampere: bool = False,
) -> Card:
    """A GPU; from Ampere on vGPUs are virtual functions of the card (NVIDIA virtual GPU software guide)."""
    part = Part(
        class_id=0x0302,
        vendor=0x10DE,
        device=device,
        name=name,
        subvendor=0x10DE,
        subdevice=subdevice,
        role="gpu",
        bar_gb=bar_gb,
        profiles=profiles,
        mig_profiles=mig,
        sriov_vgpu=ampere,
        modes=("none", "host", "directPath", "vGpuSameSize", "vGpuMixedSize"),
    )
    return Card(parts=(part,))


def _nvme(vendor: int, device: int, name: str, size: int, use: str = "free", subdevice: int = 0) -> Card:
    part = Part(
        class_id=0x0108,
        vendor=vendor,
        device=device,
        name=name,
        subvendor=vendor,
        subdevice=subdevice,
        role="nvme",
        driver="nvme_pcie",
        modes=("none", "host", "directPath"),
    )
    return Card(parts=(part,), use=use, disk_gb=size, disk_model=name)


def _nic(
    vendor: int,
    device: int,
    name: str,
    driver: str,
    *,
    subvendor: int,
    subdevice: int,
    ports: int = 2,
    vfs: int = 64,
    vf_device: int = 0,
) -> Card:
    part = Part(
        class_id=0x0200,
        vendor=vendor,
        device=device,
        name=name,
        role="nic",
        driver=driver,
        max_vfs=vfs,
        vf_device=vf_device,
        subvendor=subvendor,
        subdevice=subdevice,
    )
    return Card(parts=(part,) * ports)


_VGA = Part(
    class_id=0x0300, vendor=0x10DE, device=0x2230, name="GA102GL [RTX A6000]", subvendor=0x10DE, subdevice=0x1459,
    role="gpu", bar_gb=64, modes=("none", "host", "directPath"),
)  # fmt: skip
_AUDIO = Part(
    class_id=0x0403, vendor=0x10DE, device=0x1AEF, name="GA102 High Definition Audio Controller", subvendor=0x10DE,
    subdevice=0x1459, role="audio",
)  # fmt: skip
_RADEON = Part(
    class_id=0x0300, vendor=0x1002, device=0x73BF, name="Navi 21 [Radeon RX 6800/6900 XT]", subvendor=0x1002,
    subdevice=0x0E3A, role="gpu", bar_gb=16,
)  # fmt: skip
_RADEON_AUDIO = Part(
    class_id=0x0403, vendor=0x1002, device=0xAB28, name="Navi 21/23 HDMI/DP Audio Controller", subvendor=0x1002,
    subdevice=0xAB28, role="audio",
)  # fmt: skip

_A100_MIG = ("grid_a100-1-5c", "grid_a100-2-10c", "grid_a100-3-20c", "grid_a100-4-20c", "grid_a100-7-40c", "grid_a100-1-5cme",
             "grid_a100-1-10c")  # fmt: skip

CARDS: dict[str, Card] = {
    "a100": _gpu(
        0x20F1,
        "GA100 [A100 PCIe 40GB]",
        64,
        0x145F,
        (("grid_a100-40c", 1), ("grid_a100-10c", 4)),
        mig=_A100_MIG,
        ampere=True,
    ),
    "a100-80g": _gpu(0x20B5, "GA100 [A100 PCIe 80GB]", 128, 0x1533, (("grid_a100d-80c", 1),), ampere=True),
    "a40": _gpu(0x2235, "GA102GL [A40]", 64, 0x145A, (("nvidia_a40-48q", 1), ("nvidia_a40-12q", 4)), ampere=True),
    "t4": _gpu(0x1EB8, "TU104GL [Tesla T4]", 16, 0x12A2, (("grid_t4-16q", 1), ("grid_t4-4q", 4))),
    "l4": _gpu(0x27B8, "AD104GL [L4]", 32, 0x16CA),
    "h100": _gpu(0x2331, "GH100 [H100 PCIe]", 128, 0x1626),
    "gpu-of-tomorrow": _gpu(0xFFF0, "GX100 [a GPU newer than any table]", 64, 0xFFF1),
    "rtx-gpu-with-audio": Card(parts=(_VGA, _AUDIO), together=True),
    "radeon-with-audio": Card(parts=(_RADEON, _RADEON_AUDIO), together=True),
    "p5800x": _nvme(0x8086, 0x2700, "Optane SSD DC P5800X Series", 800, subdevice=0x0008),
    "p4510": _nvme(0x8086, 0x0A54, "NVMe DC SSD [3DNAND, Beta Rock Controller] P4510", 4000, subdevice=0x4712),
    "nvme": _nvme(0x144D, 0xA808, "NVMe SSD Controller SM981/PM981/PM983", 1920, subdevice=0xA801),
    "nvme-data": _nvme(0x144D, 0xA80A, "NVMe SSD Controller PM9A1/PM9A3/980PRO", 3840, "datastore", 0xA813),
    "nvme-boot": _nvme(0x144D, 0xA824, "NVMe SSD Controller PM173X", 480, "boot", 0xA801),
    "connectx4": _nic(
        0x15B3,
        0x1015,
        "MT27710 Family [ConnectX-4 Lx]",
        "nmlx5_core",
        subvendor=0x15B3,
        subdevice=0x0003,
        vf_device=0x1016,
    ),
    "connectx6": _nic(
        0x15B3,
        0x101D,
        "MT2892 Family [ConnectX-6 Dx]",
        "nmlx5_core",
        subvendor=0x15B3,
        subdevice=0x0016,
        vf_device=0x101E,
    ),
    "x710": _nic(
        0x8086,
        0x1572,
        "Ethernet Controller X710 for 10GbE SFP+",
        "i40en",
        subvendor=0x1028,
        subdevice=0x0000,
        vf_device=0x154C,
    ),
    "x550": _nic(
        0x8086, 0x1563, "Ethernet Controller X550", "ixgben", subvendor=0x8086, subdevice=0x001A, vf_device=0x1565
    ),
    "lom": _nic(
        0x14E4,
        0x165F,
        "NetXtreme BCM5720 2-port Gigabit Ethernet PCIe",
        "ntg3",
        vfs=0,
        subvendor=0x1028,
        subdevice=0x08FF,
    ),
    "i225": _nic(
        0x8086, 0x15F3, "Ethernet Controller I225-V", "cndi_igc", ports=1, vfs=0, subvendor=0x1043, subdevice=0x87D2
    ),
    "hba": Card(
        parts=(
            Part(
                class_id=0x0C04,
                vendor=0x1077,
                device=0x2261,
                name="ISP2722-based 16/32Gb Fibre Channel to PCIe Adapter",
                subvendor=0x1077,
                subdevice=0x02A7,
                role="hba",
                driver="qlnativefc",
            ),
        ),
        use="datastore",
        disk_gb=10240,
        disk_model="SAN volume",
    ),
    "raid": Card(
        parts=(
            Part(
                class_id=0x0104,
                vendor=0x1000,
                device=0x0014,
                name="MegaRAID Tri-Mode SAS3516",
                subvendor=0x1028,
                subdevice=0x1FE1,
                role="hba",
                driver="lsi_mr3",
            ),
        ),
        use="datastore",
        disk_gb=7680,
        disk_model="PERC H740P",
    ),
    "aspeed-vga": Card(
        parts=(
            Part(
                class_id=0x0300,
                vendor=0x1A03,
                device=0x2000,
                name="ASPEED Graphics Family",
                subvendor=0x1A03,
                subdevice=0x2000,
                role="vga",
            ),
        ),
        embedded=True,
    ),
    "matrox-vga": Card(
        parts=(
            Part(
                class_id=0x0300,
                vendor=0x102B,
                device=0x0536,
                name="Integrated Matrox G200eW3 Graphics Controller",
                subvendor=0x1028,
                subdevice=0x08FF,
                role="vga",
            ),
        ),
        embedded=True,
    ),
    "usb-controller": Card(
        parts=(
            Part(
                class_id=0x0C03,
                vendor=0x8086,
                device=0xA1AF,
                name="C620 Series Chipset Family USB 3.0 xHCI Controller",
                subvendor=0x1028,
                subdevice=0x08FF,
                role="usb",
                driver="vmkusb",
            ),
        ),
        embedded=True,
        disk_gb=32,
        disk_model="Ultra Fit",
    ),
    "sata": Card(
        parts=(
            Part(
                class_id=0x0106,
                vendor=0x8086,
                device=0xA182,
                name="C620 Series Chipset Family SATA Controller [AHCI mode]",
                subvendor=0x1028,
                subdevice=0x08FF,
                role="sata",
                driver="vmw_ahci",
            ),
        ),
        embedded=True,
        use="free",
        disk_model="SSDSC2KB480G8",
    ),
    "ide": Card(
        parts=(
            Part(
                class_id=0x0101,
                vendor=0x8086,
                device=0x7111,
                name="PIIX4 for 430TX/440BX/MX IDE Controller",
                subvendor=0x15AD,
                subdevice=0x1976,
                role="ide",
                driver="vmkata",
                capable=False,
            ),
        ),
        embedded=True,
        disk_model="IDE disk",
        adapters=2,
    ),
    "sata-boot": Card(
        parts=(
            Part(
                class_id=0x0106,
                vendor=0x1B4B,
                device=0x9230,
                name="88SE9230 PCIe 2.0 x2 4-port SATA 6 Gb/s RAID Controller",
                subvendor=0x1028,
                subdevice=0x1FD6,
                role="sata",
                driver="vmw_ahci",
            ),
        ),
        use="boot",
        disk_gb=240,
        disk_model="DELLBOSS VD",
    ),
    "counters": Card(
        parts=(
            Part(
                class_id=0x1101,
                vendor=0x8086,
                device=0x344A,
                name="Ice Lake Uncore performance counters",
                role="chipset",
                capable=False,
            ),
        ),
        embedded=True,
    ),
}
"""Short name -> card. `nvme` has a device id above 0x7fff, so that it arrives as a negative number."""

INTEL_CHIPSET = (0x8086, 0x2020, "Sky Lake-E DMI3 Registers"), (0x8086, 0x2030, "Sky Lake-E PCI Express Root Port A")
AMD_CHIPSET = (0x1022, 0x1480, "Starship/Matisse Root Complex"), (0x1022, 0x1483, "Starship/Matisse GPP Bridge")
