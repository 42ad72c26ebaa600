import Foundation
import Simulation

// Runs the fleet of replicas in virtual time, once for each seed:
//
//     weir-simulation [--seeds N] [--first SEED] [--fault NAME]
//
// It prints the first violation with its seed, and ends with status 1. With a planted fault, it fails if no seed finds it.

func value(of name: String) -> String? {
    let arguments = CommandLine.arguments
    return arguments.firstIndex(of: name).flatMap { arguments.dropFirst($0 + 1).first }
}

let first = value(of: "--first").flatMap { Int($0) } ?? 0
let seeds = value(of: "--seeds").flatMap { Int($0) } ?? 4096
let fault = value(of: "--fault").flatMap { Fault(rawValue: $0) }
let report = Fleet.run(seeds: first..<first + seeds, fault: fault)
print(report.text)
exit(report.isFailure(of: fault) ? 1 : 0)
