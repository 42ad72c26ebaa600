import Flow
import Foundation
import Testing

@testable import Settings

/// The effective configuration has the effect of the file from which it was read.
@Suite struct ConfigurationTextTests {
    /// The golden files without an error.
    static let valid: [String] = GoldenTests.names.filter { name in
        guard let text = try? input(of: name) else { return false }
        return (try? Configuration.parse(text, file: "", environment: GoldenTests.environment)) != nil
    }

    private static func input(of name: String) throws -> String {
        let text = try String(contentsOf: GoldenTests.directory.appending(path: name), encoding: .utf8)
        return String(text.split(separator: "\n----------\n", omittingEmptySubsequences: false)[0])
    }

    @Test func thereAreValidFiles() { #expect(Self.valid.count > 20) }

    @Test(arguments: valid) func isReadAsTheSame(_ name: String) throws {
        let configuration = try Configuration.parse(
            Self.input(of: name), file: "", environment: GoldenTests.environment)
        let text = configuration.text
        let again: Configuration
        do throws(ConfigurationErrors) {
            // What is written in place of a secret is not accepted as one.
            let secrets = text.replacing("secret-not-shown", with: "another-secret-of-26-chars")
            again = try Configuration.parse(secrets, file: "again", environment: [:])
        } catch {
            Issue.record("\(error)\n\(text)")
            return
        }
        #expect(lines(of: again) == lines(of: configuration), "\(text)")
        #expect(again.text == text)
    }

    /// Without positions in the file, and without what is a secret.
    private func lines(of configuration: Configuration) -> [String] {
        ConfigurationDump(configuration).lines.map { line in
            line.replacing(#/ at \d+:\d+/#, with: "").replacing(
                #/upstreamHTTP2\.(line|column): \d+/#, with: "upstreamHTTP2"
            )
            .replacing(#/(match\.headers\[\d+\]\.value): .*/#) { $0.1 }
        }
    }

    @Test func everyKeyWithAnEffectIsWritten() throws {
        let text = try Configuration.parse(
            "routes: [{ match: /, upstream: http://o }]", file: "", environment: [:]
        ).text
        for part in [
            "listen:\n  - 127.0.0.1:8080\n", "admin_token: off\n", "workers: auto\n", "  max_streams: 20000\n",
            "tls: off\n",
            "  - match:\n      path: /\n    upstream:\n      - http://o\n", "      connect: 5s\n",
            "      default: unlimited\n",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(!text.contains("upstream_tls") && !text.contains("types"))
    }

    @Test func noSecretIsWritten() throws {
        let text = """
            admin_token: ${TOKEN}
            replicas: { redis: "redis://a", user: u, password: "${PASSWORD}", patience: 5ms }
            routes:
              - match: { path: /, headers: { X-Api-Key: "${KEY}" } }
                upstream: http://o
                streams: { per_client: 3, scope: replicas }
                headers: { request: { set: { Authorization: "Bearer ${BEARER}" } } }
            """
        let secrets = ["TOKEN": "0123456789abcdef", "PASSWORD": "hunter22", "KEY": "key-of-ann", "BEARER": "sesame"]
        let written = try Configuration.parse(text, file: "", environment: secrets).text
        for secret in secrets.values { #expect(!written.contains(secret)) }
        for key in ["admin_token", "password", "X-Api-Key", "Authorization"] {
            #expect(written.contains("\(key): secret-not-shown\n"), "\(key)")
        }
    }

    @Test func whatIsWrittenInPlaceOfASecretIsNotReadAsOne() {
        let text = """
            admin_token: secret-not-shown
            routes:
              - { match: /, upstream: "http://o" }
            """
        #expect(throws: ConfigurationErrors.self) { try Configuration.parse(text, file: "", environment: [:]) }
    }

    @Test func textsThatYAMLCouldMistakeAreQuoted() {
        for text in ["a b", "x:", "-", "*", "", "null", "\"\\", "[::]:80", "{a}", "#x", "a#b", "é", "~"] {
            #expect(YAMLText.mapping([("k", .scalar(text))]).document.hasPrefix("k: \""), "\(text)")
        }
        #expect(YAMLText.mapping([("k", .scalar("\"\\"))]).document == "k: \"\\\"\\\\\"\n")
        for text in ["10/second", "http://127.0.0.1:9000", "/v1/a", "64KiB", "true"] {
            #expect(YAMLText.mapping([("k", .scalar(text))]).document == "k: \(text)\n")
        }
    }

    @Test func listsAndMappingsAreNestedByTheirIndent() {
        let inner = YAMLText.mapping([("a", .list(["1", "2"])), ("b", .mapping([("c", .off)]))])
        let text = YAMLText.mapping([("list", .list([inner, .scalar("x")])), ("empty", .list([String]()))]).document
        #expect(
            text == """
                list:
                  - a:
                      - 1
                      - 2
                    b:
                      c: off
                  - x
                empty: []

                """)
    }
}
