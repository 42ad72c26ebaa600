import Flow
import Foundation
import Testing

@testable import Settings

/// Each file of `Golden/` is an input, a line of dashes, and what comes of it: what differs from the defaults, or errors.
@Suite struct GoldenTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static var names: [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path())
        return (files ?? []).filter { $0.hasSuffix(".conftest") }.sorted()
    }

    static let environment = [
        "LISTEN": "127.0.0.1:8081", "HOST": "origin", "PORT": "9001", "OFF": "off", "EMPTY": "",
        "LINES": "x\nadmin: off", "FLOW": "a, b]", "NESTED": "${HOST}", "SECRET": "hunter2",
    ]

    @Test func thereAreGoldenFiles() {
        #expect(Self.names.count > 10)
    }

    @Test(arguments: names) func comesOutAsRecorded(_ name: String) throws {
        let text = try String(contentsOf: Self.directory.appending(path: name), encoding: .utf8)
        let halves = text.split(separator: "\n----------\n", maxSplits: 1, omittingEmptySubsequences: false)
        try #require(halves.count == 2, "\(name) has no rule line")
        #expect(Self.outcome(of: String(halves[0])) == String(halves[1]))
    }

    private static func outcome(of input: String) -> String {
        do throws(ConfigurationErrors) {
            let configuration = try Configuration.parse(input, file: "proxy.conf", environment: environment)
            return ConfigurationDump(configuration).linesBesideDefaults.map { "\($0)\n" }.joined()
        } catch {
            return "\(error)\n"
        }
    }
}
