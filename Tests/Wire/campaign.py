"""Runs cases in batches, and those that fail alone again, with ever fewer mutations."""
import asyncio
import dataclasses
import tempfile
from pathlib import Path

import http2_cases
import request_cases
import response_cases
import shared_cases
from bench import Bench
from case import Case
from oracle import Finding
from origins import NAMES, Origin
from proxies import ENDED
from response_bench import ResponseBench
from shared_bench import SharedBench

KINDS = [
    request_cases.MUTATOR, response_cases.MUTATOR, request_cases.MUTATOR, http2_cases.MUTATOR, request_cases.MUTATOR,
    response_cases.MUTATOR, shared_cases.MUTATOR,
]
BATCH = 120
TIMERS = 1.5  # s, after which every timer of an exchange has expired


def mutator(seed):
    return KINDS[seed % len(KINDS)]


def make(seed, plan=None):
    chosen = mutator(seed)
    return chosen.case(seed, chosen.plan(seed) if plan is None else plan)


@dataclasses.dataclass
class Failure:
    case: Case
    findings: list  # (origin, Finding)
    visits: list  # (origin, Visit)
    reproduced: bool = True

    @property
    def counts(self):
        """Not where a time limit passed once, as happens on a busy machine."""
        return self.reproduced or not all(finding.timing for _, finding in self.findings)

    @property
    def is_end_of_weir(self):
        return any(ENDED in finding.text for _, finding in self.findings)


class Campaign:
    async def __aenter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wire")
        folder = Path(self.folder.name)
        (folder / "private").mkdir()
        self.private = await Origin("h11").start(folder / "private")
        self.benches = [await Bench(name).start(folder / name, self.private) for name in NAMES]
        self.benches.append(await ResponseBench().start(folder / "scripted", self.private))
        self.benches.append(await SharedBench().start(folder / "shared", self.private))
        return self

    async def __aexit__(self, *_):
        for bench in self.benches:
            await bench.stop()
        await self.private.stop()
        self.folder.cleanup()

    async def run(self, cases, patient=False):
        """The failures of these cases; each was run again alone. `patient`: ends when all timers of weir have expired."""
        failures = []
        for failed in await self._suspects(cases, patient):
            alone = await self.run_alone(failed.case, failed.is_end_of_weir)
            failures.append(alone or dataclasses.replace(failed, reproduced=False))
        return failures

    async def run_each(self, cases):
        """The failures of these cases, each run by itself until all timers have expired."""
        return [failure for case in cases if (failure := await self.run_alone(case, patient=True))]

    async def _suspects(self, cases, patient):
        outcomes = await self._outcomes(cases)
        found, strays = {}, await self._outlive() if patient else []
        for bench, (visits, others) in outcomes:
            strays += [(bench.name, finding) for finding in others]
            for visit in visits:
                if visit.findings and not visit.exchange.refused:
                    failure = found.setdefault(visit.case.name, Failure(visit.case, [], []))
                    failure.findings += [(bench.name, finding) for finding in visit.findings]
                    failure.visits.append((bench.name, visit))
        if strays:  # any of them may have caused it
            crashed = any(ENDED in finding.text for _, finding in strays)
            if crashed:  # then what the hops saw does not agree for any of the cases
                found = {}
            others = [case for case in cases if case.name not in found]
            alone = [failure for case in others if (failure := await self.run_alone(case, crashed))]
            return [*found.values(), *alone] or [Failure(Case("a batch", "several"), strays, [], reproduced=False)]
        return list(found.values())

    async def _outcomes(self, cases):
        """What each bench made of those of the cases that are its own."""
        shares = [(bench, [case for case in cases if bench.takes(case)]) for bench in self.benches]
        busy = [(bench, share) for bench, share in shares if share]
        return zip([bench for bench, _ in busy], await asyncio.gather(*(bench.run(share) for bench, share in busy)))

    async def _outlive(self):
        """Waits until all timers have expired; findings, where a weir has not outlived that."""
        await asyncio.gather(*(bench.proxy.outlive(TIMERS) for bench in self.benches))
        return [(bench.name, Finding(text)) for bench in self.benches for text in bench.proxy.revive()]

    async def run_alone(self, case, patient=False):
        """A failure of the case by itself, or None. `patient`: waits until all timers of weir have expired."""
        failure = Failure(case, [], [])
        outcomes = list(await self._outcomes([case]))
        if patient:
            failure.findings += await self._outlive()
        for bench, (visits, others) in outcomes:
            findings = [finding for visit in visits for finding in visit.findings] + others
            failure.findings += [(bench.name, finding) for finding in findings]
            if findings:
                failure.visits += [(bench.name, visit) for visit in visits]
        return failure if failure.findings else None

    async def shrink(self, failure):
        """The same failure with as few mutations as show it."""
        if not failure.reproduced or not failure.case.name.isdigit():
            return failure
        seed = int(failure.case.name)
        plan = mutator(seed).plan(seed)
        for dropped in range(len(plan) - 1, -1, -1):
            fewer = plan[:dropped] + plan[dropped + 1:]
            if smaller := await self.run_alone(make(seed, fewer), failure.is_end_of_weir):
                plan, failure = fewer, smaller
        return failure
