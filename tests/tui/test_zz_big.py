import time, gc
from tests.tui.conftest import *
from tests.tui.test_library import many, names, go_to_library
async def test_big(open_library, start):
    hubsync = open_library()
    many(hubsync, 50_000)
    gcs=[]; t0=[0]
    def cb(phase, info):
        if phase=="start": t0[0]=time.perf_counter()
        elif info["generation"]==2: gcs.append(time.perf_counter()-t0[0])
    gc.callbacks.append(cb)
    async with start(hubsync, size=(120, 40)) as j:
        stalls=[]
        async def tick():
            last=time.perf_counter()
            while True:
                await asyncio.sleep(0.002)
                now=time.perf_counter(); stalls.append(now-last-0.002); last=now
        task=asyncio.create_task(tick())
        def report(what):
            s=sorted(stalls)[-6:]; print(what, [round(x*1e3) for x in s], "gc2", [round(x*1e3) for x in gcs]); stalls.clear(); gcs.clear()
        await go_to_library(j); await j.rest(); report("open")
        for _ in range(20):
            await j.press("j")
        report("20 j")
        for _ in range(20):
            await j.press("G"); await j.pilot.pause(0.05)
        report("20 G")
        j.library._read_again(); await j.rest(); report("read 2000 again")
        task.cancel()
    gc.callbacks.remove(cb)
