import Admin
import ArgumentParser
import Flow
import Foundation
import Logging
import Observability
import Proxy
import Settings
import UnixSignals
import Upstream

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve the routes of a configuration until SIGTERM or SIGINT.")

    @OptionGroup var file: ConfigurationFile

    @Option(help: .hidden)
    var waking = Waking.auto

    func run() async throws {
        let loaded = try file.read()
        let inherited: InheritedSockets
        do throws(InheritedSockets.Failure) {
            inherited = try InheritedSockets(environment: ProcessInfo.processInfo.environment)
        } catch {
            StandardError.write("weir: \(error)\n")
            throw ExitCode(1)
        }
        try await serve(loaded, waking: waking, inherited: inherited, reload: file.load)
    }
}

extension Waking: ExpressibleByArgument {}

/// Serves until a signal ends it: the first SIGTERM or SIGINT drains, the second ends at once.
///
/// - Parameters:
///   - loaded: The configuration.
///   - waking: How the loops are notified of libcurl's sockets.
///   - inherited: Sockets that listen already.
///   - reload: Reads the configuration again, at each SIGHUP.
///   - greeting: The text that is written to standard error once the server listens; `nil` if there is none.
/// - Throws: `ExitCode(1)` if it cannot start, after the reason was logged or written to standard error.
func serve(
    _ loaded: LoadedConfiguration, waking: Waking, inherited: InheritedSockets = InheritedSockets(),
    reload: @escaping @Sendable () throws -> LoadedConfiguration, greeting: ((Server) -> String)? = nil
) async throws {
    if let refusal = LibcurlVersion.refusal {
        StandardError.write("weir: \(refusal)\n")
        throw ExitCode(1)
    }
    // A closed reader of standard output or error causes an error of a write, not the end of the proxy.
    signal(SIGPIPE, SIG_IGN)
    let configuration = loaded.configuration
    let processLog = ProcessLog(level: Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info)
    defer { processLog.close(within: .seconds(2)) }
    let log = processLog.logger
    loaded.logWarnings(to: log)
    // Trapped before anything listens: a signal right after the start must not kill the process.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup, .sigusr1)
    let accessLog: LogSink?
    let server: Server
    do {
        accessLog = try openAccessLog(configuration, log: log)
        server = try await Server.start(
            configuration, version: Weir.version, pages: AdminPages(), waking: waking, inherited: inherited,
            accessLog: accessLog,
            processLog: processLog)
    } catch {
        log.critical("cannot start", metadata: ["error": "\(error)"])
        throw ExitCode(1)
    }
    let supervisor = ServiceNotifier(environment: ProcessInfo.processInfo.environment, log: log)
    supervisor.send(.ready)
    if let greeting { processLog.write(text: greeting(server)) }
    let watcher = Task {
        for await signal in signals {
            switch signal {
            case .sighup:
                supervisor.send(.reloading(.monotonic()))
                await server.reload {
                    let loaded = try reload()
                    loaded.logWarnings(to: log)
                    return (loaded.configuration, loaded.positions)
                }
                supervisor.send(.ready)
            case .sigusr1: accessLog?.reopen()
            default:
                supervisor.send(.stopping(within: server.shutdownGrace + closingTime))
                Task { await server.drain() }
            }
        }
    }
    await server.stopped()
    watcher.cancel()
    _ = accessLog?.close(within: .seconds(5))
}

/// The time that the process may need after `shutdown_grace`: two seconds for connections to close and the last export, and both
/// logs' own limits.
private let closingTime = Duration.seconds(9)

private func openAccessLog(_ configuration: Configuration, log: Logger) throws -> LogSink? {
    guard let settings = configuration.accessLog else { return nil }
    let target: LogSink.Target =
        switch settings.destination {
        case .standardOutput: .standardOutput
        case .file(let path): .file(path: path)
        }
    return try LogSink(
        target, failed: { log.error("access log", metadata: ["error": "\($0)"]) },
        lossNotice: { lines in
            log.warning("lines of the access log were lost", metadata: ["lines": "\(lines)"])
            return nil
        })
}
