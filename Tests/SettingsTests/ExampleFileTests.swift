import Flow
import Foundation
import Testing

@testable import Settings

/// `proxy.conf.example` is the reference of the keys: it must agree with the reader.
@Suite struct ExampleFileTests {
    let text: String
    let guide: String

    init() throws {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
        text = try String(contentsOf: root.appending(path: "proxy.conf.example"), encoding: .utf8)
        guide = try String(contentsOf: root.appending(path: "docs/CONFIGURATION.md"), encoding: .utf8)
    }

    @Test func statesTheDefaults() throws {
        var configuration = try Configuration.parse(text, file: "proxy.conf.example", environment: [:])
        var route = try #require(configuration.routes.first)
        // What the comments call "Here".
        route.policy.defaultPace = .unlimited
        route.policy.maximumPace = .unlimited
        route.streams = Route.StreamLimits()
        route.totalItemsHeader = nil
        let upstream = UpstreamAddress(host: "127.0.0.1", port: 9000)
        #expect(route == Route(match: .init(path: "/v1/orders/stream"), upstreams: [upstream]))
        configuration.routes = []
        #expect(configuration == Configuration(routes: []))
    }

    @Test func theGuidesExampleIsRead() throws {
        let opening = try #require(guide.range(of: "```yaml\n"))
        let closing = try #require(guide.range(of: "```", range: opening.upperBound..<guide.endIndex))
        let yaml = String(guide[opening.upperBound..<closing.lowerBound])
        let configuration = try Configuration.parse(yaml, file: "guide", environment: ["ORDERS_HOST": "orders"])
        #expect(
            configuration.routes.flatMap(\.upstreams).map(\.text) == ["http://orders:9000", "http://127.0.0.1:8000"])
    }

    @Test func theGuidesErrorsAreThoseOfItsGoldenFile() throws {
        let golden = GoldenTests.directory.appending(path: "guide-errors.conftest")
        let errors = try String(contentsOf: golden, encoding: .utf8).split(separator: "\n").drop { $0 != "----------" }
        try #require(errors.count > 2)
        for error in errors.dropFirst() { #expect(guide.contains("    \(error)\n"), "\(error)") }
    }

    @Test func statesWhatIsAllowedForEachKey() throws {
        let written = comments
        let route = Route(match: .init(), upstreams: [UpstreamAddress(host: "", port: 0)])
        var tables = allowed(by: Schema.configuration, of: Configuration(routes: []))
        tables += allowed(by: Schema.accessLogKeys, of: .init())
        tables += allowed(by: Schema.limits, of: .init())
        tables += allowed(by: Schema.paths, of: .init())
        tables += allowed(by: Schema.http2Keys, of: .init())
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        tables += allowed(by: Schema.tlsKeys, of: .init(certificate: nowhere, key: nowhere))
        tables += allowed(by: Schema.route, of: route)
        tables += allowed(by: Schema.matchKeys, of: .init())
        tables += allowed(by: Schema.healthCheckKeys, of: .init())
        tables += allowed(by: Schema.typesKeys, of: .init())
        tables += allowed(by: Schema.rateKeys, of: .init(policy: route.policy))
        tables += allowed(by: Schema.bufferKeys, of: .init(policy: route.policy))
        tables += allowed(by: Schema.clientTierKeys, of: nil)
        tables += allowed(by: Schema.tierKeys, of: .init(policy: route.policy, streams: route.streams))
        tables += allowed(by: Schema.clientKeyKeys, of: .address(ipv6Prefix: 64))
        tables += allowed(by: Schema.streamsKeys, of: .init())
        tables += allowed(by: Schema.clientRecordsKeys, of: .init(scope: .local))
        tables += allowed(by: Schema.quotaKeys, of: .init())
        tables += allowed(by: Schema.timeouts, of: .init())
        tables += allowed(by: Schema.paceKeys, of: .init())
        tables += allowed(by: Schema.weightKeys, of: .init(pointer: ""))
        tables += allowed(by: Schema.stallTimeoutKeys, of: .init())
        tables += allowed(by: Schema.clientBreakerKeys, of: .client)
        tables += allowed(by: Schema.replicasKeys, of: .init(servers: []))
        let endpoint = Configuration.OTLP.Endpoint(address: UpstreamAddress(host: "", port: 0))
        tables += allowed(by: Schema.otlpKeys, of: .init(endpoint: endpoint))
        tables += allowed(by: Schema.breakerKeys(counting: "failures"), of: .upstream)
        tables += allowed(by: Schema.asyncKeys, of: .init())
        tables += allowed(by: Schema.sharedKeys, of: .init())
        tables += allowed(by: Schema.retryKeys, of: .init())
        tables += allowed(by: Schema.retainKeys, of: .init())
        tables += allowed(by: Schema.upstreamTLSKeys, of: .init())
        tables += allowed(by: Schema.listenerKeys, of: .init(.ip(host: "", port: 0)))
        tables += allowed(by: Schema.certificateKeys, of: .init(certificate: nowhere, key: nowhere))
        tables += allowed(by: Schema.corsKeys, of: .init())
        tables += allowed(by: Schema.headersKeys, of: .init())
        tables += allowed(by: Schema.headerRulesKeys, of: .init())
        try #require(tables.count > 80)
        for (key, allowed) in tables {
            let comments = try #require(written[key], "\(key) is not in the example")
            // A mapping's keys are reported one by one.
            guard !allowed.hasPrefix("a mapping of"), key != "routes" else { continue }
            #expect(comments.contains { $0.contains("Allowed: \(allowed) ") }, "\(key) takes \(allowed)")
        }
    }

    /// The comments right above the lines of each key, every comment on one line.
    ///
    /// A key that would name files is commented out, without a space after the sign.
    private var comments: [String: [String]] {
        var comments: [String: [String]] = [:]
        var comment = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("# ") || line == "#" {
                comment += line.dropFirst().drop { $0 == " " } + " "
            } else {
                let entry = line.hasPrefix("- ") ? line.dropFirst(2) : line.hasPrefix("#") ? line.dropFirst() : line
                if let colon = entry.firstIndex(of: ":") {
                    comments[String(entry[..<colon]), default: []].append(comment)
                }
                comment = ""
            }
        }
        return comments
    }

    /// The allowed values in the error for an invalid one, for each key.
    private func allowed<Target>(by keys: [Key<Target>], of target: Target) -> [(key: String, allowed: String)] {
        keys.compactMap { key in
            let reading = Reading(file: "", variables: Variables(values: [:]))
            guard let node = YAMLDocument.compose("\"\"", reporting: reading) else { return nil }
            var target = target
            key.read(Setting(node: node, path: key.name, reading: reading), &target)
            guard let message = reading.errors.first?.message, let range = message.range(of: "allowed: ") else {
                Issue.record("\(key.name) takes anything")
                return nil
            }
            return (key.name, String(message[range.upperBound...]))
        }
    }
}
