import Logging
import NIOConcurrencyHelpers
import Observability
package import Settings

/// Why another configuration is not served.
struct ReloadError: Error, CustomStringConvertible {
    let description: String
}

extension Server {
    /// Serves another configuration from now on: all of it or, where that cannot be, none; the log tells which, and why.
    ///
    /// New requests are served by it at once. Open streams keep their connections and their upstreams; where a route with the
    /// same `match` is there, its limits are theirs. What counts for a route - streams, breakers, starts - goes on counting.
    /// One call at a time.
    ///
    /// - Parameter read: Reads and checks it; each line of its error is told.
    package func reload(_ read: () throws -> Configuration) async {
        do {
            let generation = try await serve(read())
            shared.reloads.withLockedValue { $0 = ReloadStatus() }
            log.notice("reloaded", metadata: ["generation": "\(generation)"])
        } catch {
            shared.reloads.withLockedValue { $0.isRefused = true }
            for line in "\(error)".split(separator: "\n") { log.error("not reloaded", metadata: ["error": "\(line)"]) }
        }
    }

    private func serve(_ configuration: Configuration) async throws(ReloadError) -> Int {
        let present = shared.served
        guard !shared.isDraining else { throw ReloadError(description: "weir is stopping") }
        let fixed = configuration.keysFixed(since: present.configuration)
        guard fixed.isEmpty else {
            throw ReloadError(
                description: "only a restart can change " + fixed.map { "`\($0)`" }.joined(separator: ", "))
        }
        try reloadTLS(configuration)
        let next = ServedConfiguration(configuration, after: present, log: log)
        shared.serve(
            next,
            maximumConnections: DescriptorLimit.connections(wanted: configuration.limits.maxConnections, log: log),
            at: Worker.now())
        await onEachWorker { $0.adopt(next) }
        return next.generation
    }
}

extension Configuration {
    /// The keys in which it differs from the running one and that cannot change while it runs.
    fileprivate func keysFixed(since running: Configuration) -> [String] {
        var keys: [String] = []
        if listen != running.listen { keys.append("listen") }
        if reusesPort != running.reusesPort { keys.append("reuse_port") }
        if admin != running.admin { keys.append("admin") }
        if (tls == nil) != (running.tls == nil) { keys.append("tls") }
        if workers != running.workers { keys.append("workers") }
        if accessLog != running.accessLog { keys.append("access_log") }
        if logLevel != running.logLevel { keys.append("log_level") }
        return keys
    }
}
