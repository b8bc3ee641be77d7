import pytest
from rolling_lab import MODULE, Roll
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rollout.journal import VM
@pytest.mark.parametrize("n", range(100))
def test_z(n):
    roll = Roll.pinned(pinned_vms="shutdown")
    sim = roll.lab.sim
    lost = []; when=[]
    def lose(write):
        if write.method == "ShutdownGuest" and not lost:
            lost.append(write.name)
            t0=sim.clock.seconds()
            def go():
                when.append((t0, sim.clock.seconds()))
                sim.events["set_custom_value"](on=write.name, attribute=VM, value="")
            sim.clock.call_later(30, go)
    sim.on_write(None, lose, when="answered")
    result = roll.lab._main(MODULE, {**roll.lab.credentials(), **roll.options})
    off = [name for name in ("train-01", "train-02") if str(sim.find_entity(name).get("runtime.powerState")) != "poweredOn"]
    if not result.get("failed"):
        print("XX", n, lost, when, off, [ (e.method, getattr(e,'name','')) for e in sim.journal.writes() if 'VM' in e.method or 'Guest' in e.method or "SetField" in e.method][:60])
        print(result["notes"]); print([t for t in result["transitions"]])
