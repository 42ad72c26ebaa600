import Dispatch
import Synchronization

/// Many runs, on all processors.
package enum Fleet {
    package struct Report: Sendable {
        package var seeds = 0
        package var events = 0
        package var starts = 0
        /// The sum of all hashes: the same seeds give the same sum.
        package var hash: UInt64 = 0
        /// Of the lowest seed.
        package var violation: Violation?

        package var text: String {
            let found = violation.map { "\n\($0)" } ?? ""
            return "\(seeds) seeds, \(events) events, \(starts) starts, hash \(String(hash, radix: 16))\(found)"
        }

        /// Whether the invariants have failed, or have not found a planted fault.
        package func isFailure(of fault: Fault?) -> Bool { (violation != nil) == (fault == nil) }
    }

    /// Runs each seed; with a fault, only until one has found it.
    ///
    /// - Returns: What was found; with a fault the hash and the counts depend on the number of processors.
    package static func run(seeds: Range<Int>, fault: Fault? = nil) -> Report {
        let total = Mutex(Report())
        let block = 32
        DispatchQueue.concurrentPerform(iterations: (seeds.count + block - 1) / block) { index in
            if fault != nil, total.withLock({ $0.violation != nil }) { return }
            var part = Report()
            for seed in seeds.dropFirst(index * block).prefix(block) {
                let result = Simulation.run(seed: seed, fault: fault)
                part.seeds += 1
                part.events += result.events
                part.starts += result.starts
                part.hash &+= result.hash
                part.violation = part.violation ?? result.violation
            }
            total.withLock { $0.add(part) }
        }
        return total.withLock { $0 }
    }
}

extension Fleet.Report {
    fileprivate mutating func add(_ part: Fleet.Report) {
        (seeds, events, starts) = (seeds + part.seeds, events + part.events, starts + part.starts)
        hash &+= part.hash
        guard let found = part.violation, found.seed < violation?.seed ?? .max else { return }
        violation = found
    }
}
