import ArgumentParser
import Proxy
import Settings
import Upstream

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Serve a small built-in stream of orders, without a configuration.")

    @Option(help: "The port of the proxy; 0 for a free one.")
    var port = 8080

    @Option(help: "The port of the admin listener; 0 for a free one.")
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
              # At a rate; a client that loses its connection may resume the stream.
              - match: /v1/orders/stream
                upstream: http://127.0.0.1:\(upstream.port)
                rate: { default: 10/second, max: 1000/second }
                buffer: { default: 100, max: 1000 }
                streams: { per_client: 10, starts: 2/second, starts_burst: 10 }
                resume_window: 30s
              # As fast as it is read, one at a time: a client that does not read is ended, and refused for a while.
              - match: /v1/orders/export
                upstream: http://127.0.0.1:\(upstream.port)
                streams: { per_client: 1 }
                stall_timeout: 3s
                breaker: { trips: 1, cooldown: 20s }
              # Never late: if a client falls behind, only the newest record is kept.
              - match: /v1/orders/latest
                upstream: http://127.0.0.1:\(upstream.port)
                rate: { default: 2/second, max: 10/second }
                buffer: { default: 10, max: 100 }
                overflow: latest
              # One request to the upstream for all clients.
              - match: /v1/orders/shared
                upstream: http://127.0.0.1:\(upstream.port)
                rate: { default: 2/second, max: 10/second }
                buffer: { default: 2, max: 10 }
                shared: { join: beginning, retain: { records: 1 } }
              # The tokens of a language model: for each API key 200 a minute, as the model itself counts them.
              - match: /v1/chat/completions
                upstream: http://127.0.0.1:\(upstream.port)
                client_key: { header: Authorization }
                rate: 50/second
                weight: { pointer: /usage/completion_tokens, cumulative: true }
                streams: { client_records: { quota: { records: 200, per: minute } } }
                end_record: { data: "[DONE]" }
                timeouts: { first_record: 2s, between_records: 10s }
                heartbeat: 15s
              - match: /
                upstream: http://127.0.0.1:\(upstream.port)
            """
        do {
            let configuration = try Configuration.parse(text, file: "demo", environment: [:])
            let loaded = LoadedConfiguration(configuration)
            try await serve(loaded, waking: waking, reload: { loaded }, greeting: Self.invitation)
        } catch let errors as ConfigurationErrors {
            StandardError.write("\(errors)\n")
            throw ExitCode(1)
        }
        await upstream.stop()
    }

    private static func invitation(to server: Server) -> String {
        let orders = "\(server.urls[0])/v1/orders"
        let url = "\(orders)/stream"
        return """

            Ten orders a second, from an upstream that would send a million:
              curl -N \(url)
            With a rate and a buffer of your own; the response headers show what was granted:
              curl -iN -H 'X-Stream-Rate-Limit: 2/second' -H 'X-Stream-Buffer-Size: 20' '\(url)?items=10'
            Only the newest record if there are more than you read, with the number of dropped ones:
              curl -N -H 'Prefer: stream-notices' \(orders)/latest
            Too many starts, and an exact Retry-After:
              for i in $(seq 12); do curl -s '\(url)?items=1'; done
            Two clients of one request to the upstream; the second begins where the first is:
              curl -sN \(orders)/shared & sleep 5; curl -iN \(orders)/shared
            A client that does not read for five seconds, and the response to its next request:
              curl -sSN \(orders)/export | (sleep 5; wc -l); curl -i \(orders)/export
            The tokens of a language model, 50 a second and 200 a minute for each key (docs/LLM.md):
              curl -N -H 'Authorization: Bearer me' \(server.urls[0])/v1/chat/completions
            The live view, in a browser:
              \(server.adminURL ?? "")
            docs/TUTORIAL.md continues from here. Ctrl-C stops.


            """
    }
}
