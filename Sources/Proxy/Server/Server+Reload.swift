import Logging
import NIOConcurrencyHelpers
import Observability
package import Settings

/// Why another configuration is not applied.
struct ReloadError: Error, CustomStringConvertible {
    let description: String
}

extension Server {
    /// Applies another configuration, completely or not at all; the log reports which, and why.
    ///
    /// New requests use it at once. Open streams keep their connections and their upstreams; if there is a route with the
    /// same `match`, its limits apply to them. The counts of a route (streams, breakers, starts) continue.
    /// One call at a time.
    ///
    /// - Parameter read: Reads and checks the configuration; each line of its error is logged.
    package func reload(_ read: () throws -> (Configuration, KeyPositions)) async {
        do {
            let (configuration, positions) = try read()
            let generation = try await serve(configuration, positions)
            shared.process.reloads.withLockedValue { $0 = ReloadStatus() }
            log.notice("reloaded", metadata: ["generation": "\(generation)"])
        } catch {
            shared.process.reloads.withLockedValue { $0.isRefused = true }
            for line in "\(error)".split(separator: "\n") { log.error("not reloaded", metadata: ["error": "\(line)"]) }
        }
    }

    private func serve(
        _ configuration: Configuration, _ positions: KeyPositions
    ) async throws(ReloadError) -> Int {
        let present = shared.served
        guard !shared.isDraining else { throw ReloadError(description: "weir is stopping") }
        let fixed = configuration.keysFixed(since: present.configuration)
        guard fixed.isEmpty else {
            let errors = fixed.map { positions.error(at: $0, "only a restart can change `\($0)`") }
            throw ReloadError(description: errors.joined(separator: "\n"))
        }
        try reloadTLS(configuration)
        let next = ServedConfiguration(configuration, after: present, replicas: shared.replicas, log: log)
        shared.serve(
            next,
            maximumConnections: DescriptorLimit.connections(wanted: configuration.limits.maxConnections, log: log),
            at: Worker.now())
        await adopt(next)
        return next.generation
    }
}

extension Configuration {
    /// The changed keys that only a restart can apply.
    fileprivate func keysFixed(since running: Configuration) -> [String] {
        var keys: [String] = []
        if listen != running.listen { keys.append("listen") }
        if reusesPort != running.reusesPort { keys.append("reuse_port") }
        if admin != running.admin { keys.append("admin") }
        if (tls == nil) != (running.tls == nil) { keys.append("tls") }
        if replicas != running.replicas { keys.append("replicas") }
        if otlp != running.otlp { keys.append("otlp") }
        if workers != running.workers { keys.append("workers") }
        if accessLog != running.accessLog { keys.append("access_log") }
        if logLevel != running.logLevel { keys.append("log_level") }
        return keys
    }
}
