"""The differential test of the wire: `.venv/bin/python Tests/Wire --help`."""
import argparse
import asyncio
import logging
import random
import sys
import time

from campaign import BATCH, Campaign, make
from case import named
from report import brief, describe


def arguments():
    parser = argparse.ArgumentParser(prog="Tests/Wire", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="runs this one alone")
    parser.add_argument("--seconds", type=float, help="runs seeds from a random one on for so long")
    parser.add_argument("--case", help="runs this named case alone")
    return parser.parse_args()


async def main(options):
    begin, failures, count = time.monotonic(), [], 0
    async with Campaign() as campaign:
        for cases in batches(options, begin):
            for failure in await campaign.run(cases):
                failure = await campaign.shrink(failure)
                failures.append(failure)
                print(describe(failure), flush=True)
            count += len(cases)
            if options.seconds:
                print(f"{count} cases in {time.monotonic() - begin:.0f} s, {len(failures)} failures", flush=True)
    for failure in failures:
        print(brief(failure)[:300])
    print(f"{count} cases in {time.monotonic() - begin:.1f} s, {len(failures)} failures")
    return any(failure.reproduced or not failure.is_timing for failure in failures)


def batches(options, begin):
    if options.seed is not None:
        yield [make(options.seed)]
        return
    kept = [case for case in named() if options.case in (None, case.name)]
    if kept:
        yield kept
    if options.case:
        return
    first = random.randrange(1 << 40) if options.seconds else options.first
    place = 0
    while time.monotonic() - begin < options.seconds if options.seconds else place < options.seeds:
        size = BATCH if options.seconds else min(BATCH, options.seeds - place)
        yield [make(first + place + number) for number in range(size)]
        place += size


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of connections that weir has closed
    sys.exit(asyncio.run(main(arguments())))
