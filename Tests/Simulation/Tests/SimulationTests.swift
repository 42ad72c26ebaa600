import Simulation
import Testing

/// A part of what `make simulation` runs, which has an optimised build.
@Suite struct SimulationTests {
    @Test func theInvariantsHold() {
        let report = Fleet.run(seeds: 0..<96)
        #expect(report.violation.map(\.description) == nil)
        // A run without starts would find nothing.
        #expect(report.starts > 96 * 20)
    }

    @Test func theSameSeedGivesTheSameTrace() {
        for seed in 0..<8 {
            let first = Simulation.run(seed: seed), second = Simulation.run(seed: seed)
            #expect(first.hash == second.hash && first.events == second.events)
        }
    }

    @Test(arguments: Fault.allCases) func aPlantedFaultIsFound(fault: Fault) {
        let report = Fleet.run(seeds: 0..<1000, fault: fault)
        #expect(report.violation != nil)
    }
}
