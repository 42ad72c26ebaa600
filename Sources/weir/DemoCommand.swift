import ArgumentParser
import Proxy
import Settings
import Upstream

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Serve a small built-in stream of orders; nothing to configure.")

    @Option(help: "The port of the proxy.")
    var port = 8080

    @Option(help: "The port of the admin listener.")
    var adminPort = 9090

    @Option(help: .hidden)
    var waking = Waking.auto

    func run() async throws {
        let upstream = try await DemoUpstream.start()
        let text = """
            listen: 127.0.0.1:\(port)
            admin: 127.0.0.1:\(adminPort)
            access_log: { path: "-" }
            shutdown_grace: 2s
            routes:
              - match: /v1/orders/stream
                upstream: http://127.0.0.1:\(upstream.port)
                rate: { default: 10/second, max: 1000/second }
                buffer: { default: 100, max: 1000 }
                streams: { per_client: 10, starts: 2/second, starts_burst: 10 }
                stall_timeout: 5s
                breaker: { trips: 2, window: 60s, cooldown: 15s }
                resume_window: 30s
              - match: /v1/orders/latest
                upstream: http://127.0.0.1:\(upstream.port)
                rate: { default: 2/second, max: 10/second }
                buffer: { default: 10, max: 100 }
                overflow: latest
              - match: /
                upstream: http://127.0.0.1:\(upstream.port)
            """
        do {
            let configuration = try Configuration.parse(text, file: "demo", environment: [:])
            try await serve(configuration, waking: waking) { StandardError.write(Self.invitation(port: port)) }
        } catch let errors as ConfigurationErrors {
            StandardError.write("\(errors)\n")
            throw ExitCode(1)
        }
        await upstream.stop()
    }

    private static func invitation(port: Int) -> String {
        let url = "http://127.0.0.1:\(port)/v1/orders/stream"
        return """

            Ten orders a second, from an upstream that would send a million:
              curl -N \(url)
            As you like it, and what was granted:
              curl -iN -H 'X-Stream-Rate-Limit: 2/second' -H 'X-Stream-Buffer-Size: 20' '\(url)?items=10'
            Only the newest, when there are more than you take, and what was dropped:
              curl -N -H 'Prefer: stream-notices' 'http://127.0.0.1:\(port)/v1/orders/latest'
            Too many at once, and an honest Retry-After:
              for i in $(seq 12); do curl -s '\(url)?items=1'; done
            Ctrl-C stops.


            """
    }
}
