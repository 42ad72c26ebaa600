import Flow
import TestSupport

/// What a seed determines before the run: the limits, the fleet and the faults of its surroundings.
struct Scenario {
    let replicas: Int
    let clients: Int
    let streamLimit: Int
    let routeLimit: Int
    let allowance: StartAllowance
    let recordRate: Rate
    /// The same in millionths of a record per second.
    let recordLimit: Int64
    /// The mean time between two starts, in nanoseconds.
    let startPause: Double
    /// The mean time that a stream lasts, in nanoseconds.
    let streamTime: Double
    /// The mean time between two disturbances, in nanoseconds.
    let disturbancePause: Double
    /// The longest delay of a message in each direction, in nanoseconds.
    let delay: Int64

    init(using random: inout SeededGenerator) {
        replicas = Int.random(in: 2...4, using: &random)
        clients = Int.random(in: 1...3, using: &random)
        streamLimit = Int.random(in: 1...9, using: &random)
        routeLimit = Int.random(in: 4...20, using: &random)
        let rates = ["1/second", "3/second", "90/minute", "7/second"].compactMap { Rate($0) }
        let rate = rates.randomElement(using: &random)
        guard let rate else { preconditionFailure("a scenario has a rate") }
        allowance = StartAllowance(rate: rate, burst: Int.random(in: 1...6, using: &random))
        let records = Int.random(in: 1...2000, using: &random)
        guard let recordRate = Rate(records, per: .second) else {
            preconditionFailure("a scenario has a rate of records")
        }
        (self.recordRate, recordLimit) = (recordRate, Int64(records) * 1_000_000)
        startPause = Double.random(in: 0.05...0.4, using: &random) * 1e9
        streamTime = Double.random(in: 0.2...6, using: &random) * 1e9
        disturbancePause = Double.random(in: 1...8, using: &random) * 1e9
        delay = Int64.random(in: 100_000...4_000_000, using: &random)
    }
}
