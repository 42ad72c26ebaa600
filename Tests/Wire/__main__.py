"""The differential test of the wire: `.venv/bin/python Tests/Wire --help`."""
import argparse
import asyncio
import logging
import random
import signal
import sys
import time

from campaign import BATCH, Campaign, make
from named import all_cases, verdict
from report import brief, describe


def arguments():
    parser = argparse.ArgumentParser(prog="Tests/Wire", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="runs this one alone")
    parser.add_argument("--seconds", type=float, help="runs seeds from a random one on for this time")
    parser.add_argument("--alone", action="store_true", help="runs each case by itself, until all timers have expired")
    parser.add_argument("--case", help="runs this named case alone")
    return parser.parse_args()


async def main(options):
    # Its weirs and origins must end with it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    begin, failures, count = time.monotonic(), [], 0
    async with Campaign() as campaign:
        for cases, patient in batches(options, begin):
            for failure in await (campaign.run_each(cases) if options.alone else campaign.run(cases, patient)):
                failure = await campaign.shrink(failure)
                failures.append(failure)
                print(describe(failure) if failure.counts else brief(failure)[:300], flush=True)
            count += len(cases)
            if options.seconds:
                print(summary(count, begin, failures), flush=True)
    for failure in failures:
        print(brief(failure)[:300])
    print(summary(count, begin, failures))
    return any(failure.counts for failure in failures)


def summary(count, begin, failures):
    counting = sum(failure.counts for failure in failures)
    late = f", and {len(failures) - counting} time limits that passed once" if counting < len(failures) else ""
    return f"{count} cases in {time.monotonic() - begin:.0f} s, {counting} failures{late}"


def batches(options, begin):
    """The cases of each batch, and whether to wait for all timers after it."""
    if options.seed is not None:
        yield [make(options.seed)], True
        return
    kept = [case for case in all_cases() if options.case in (None, case.name)]
    for case in kept:
        assert case.verdict == verdict(case), f"{case.name}: the reference has {verdict(case)}"
    if kept:
        yield kept, True
    if options.case:
        return
    place = random.randrange(1 << 40) if options.seconds else options.first
    end = options.first + options.seeds
    if options.seconds:
        print(f"seeds from {place} on", flush=True)
    while time.monotonic() - begin < options.seconds if options.seconds else place < end:
        size = BATCH if options.seconds else min(BATCH, end - place)
        yield [make(place + number) for number in range(size)], bool(options.seconds) or place + size == end
        place += size


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of connections that weir has closed
    sys.exit(asyncio.run(main(arguments())))
