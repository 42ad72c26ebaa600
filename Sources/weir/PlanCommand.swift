import ArgumentParser
import Flow
import NIOCore
import Planning
import Settings

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Compute the memory and CPU of a load, and which limit of the configuration it reaches first.",
        discussion: """
            The decisions are made by the code of the proxy itself, in virtual time. CPU and memory are computed from unit \
            costs that were measured on one machine; docs/PLANNING.md describes their accuracy, and what is not computed: \
            TLS, HTTP/2, shared requests, and clients that repeat a rejected start.
            """)

    @OptionGroup var file: ConfigurationFile
    @OptionGroup var load: LoadOptions

    @Flag(name: .customLong("json"), help: "Write one JSON object instead of tables.")
    var isJSON = false

    func run() throws {
        let configuration = try file.read().configuration
        let route = PlannedRoute(
            try load.route(of: configuration), of: configuration, cores: System.coreCount)
        let load = try load.load(on: route.route)
        let plan: Plan
        do throws(PlanError) {
            plan = try Plan.of(load, on: route)
        } catch {
            StandardError.write("weir plan: \(error.words)\n")
            throw ExitCode(1)
        }
        if isJSON {
            StandardOutput.write(String(decoding: plan.json(for: load, on: route), as: UTF8.self) + "\n")
        } else {
            let width = Terminal.output.size?.columns ?? Self.plainWidth
            StandardOutput.write(plan.lines(for: load, on: route, width: width).joined(separator: "\n") + "\n")
        }
    }

    /// The width without a terminal, in characters.
    private static let plainWidth = 160
}

extension PlanError {
    fileprivate var words: String {
        switch self {
        case .tooManyEvents: "the load has too many records to be computed; allowed: a shorter --duration"
        case .refusedTerms(.aboveMaximum(_, let maximum)):
            "the route rejects the --request (over_limit: reject); allowed: at most \(maximum)"
        case .refusedTerms(.malformed(_, let reason)): "the --request \(reason)"
        }
    }
}
