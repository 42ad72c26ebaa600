import TestSupport
import Testing

@testable import Settings

/// Texts that are no use in golden files, and that must do no harm.
@Suite struct ConfigurationParseTests {
    private static let routes = "routes: [{ match: /, upstream: http://o }]\n"

    private func errors(_ text: String, environment: [String: String] = [:]) -> [ConfigurationError] {
        do throws(ConfigurationErrors) {
            _ = try Configuration.parse(text, file: "f", environment: environment)
            return []
        } catch {
            return error.errors
        }
    }

    @Test func reportsAnErrorOnOneLine() {
        let error = ConfigurationError(file: "a/proxy.conf", line: 3, column: 7, message: "is wrong; allowed: right")
        #expect("\(error)" == "a/proxy.conf:3:7: is wrong; allowed: right")
        #expect("\(ConfigurationErrors([error, error]))" == "\(error)\n\(error)")
    }

    @Test func reportsErrorsInTheOrderOfTheFile() {
        let found = errors("admin: x\nroutes:\n- upstream: x\n  match: x\nworkers: x\n")
        #expect(found.map(\.line) == [1, 3, 4, 5])
    }

    @Test func takesCarriageReturnsAndAByteOrderMark() {
        #expect(errors("\u{feff}admin: off\r\n" + Self.routes).isEmpty)
        #expect(errors("admin: off\r\nworkers: x\r\n" + Self.routes).map(\.line) == [2])
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func refusesDeepNesting(_ opening: String) {
        let found = errors(String(repeating: opening, count: 100_000))
        #expect(found.count == 1)
        #expect(found.first?.message.hasPrefix("the file is not YAML") == true)
    }

    @Test func readsNestingThatYAMLAllows() {
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        let message = "`workers` is a list; allowed: a whole number from 1 to 1024, or `auto`"
        #expect(errors("workers: \(deep)\n" + Self.routes).map(\.message) == [message])
    }

    @Test func refusesAliasesBeforeTheyGrow() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) { ? *a\(level - 1) : *a\(level - 1) }\n" }
        let found = errors(text)
        #expect(found.map(\.line) == [2])
        #expect(found.first?.message.hasPrefix("aliases") == true)
    }

    @Test func takesSignsThatAreNoAliases() {
        #expect(errors("# R&D, *not* S&M\n" + Self.routes).isEmpty)
        #expect(errors("access_log: { path: \"*a&b*c\" }\n" + Self.routes).isEmpty)
    }

    @Test func refusesANULAtItsPosition() {
        let found = errors("admin: off\nworkers: \0 2\n" + Self.routes)
        #expect(found.count == 1)
        #expect(found.first?.line == 2)
        #expect(found.first?.column == 10)
    }

    @Test func refusesAHugeFileAtOnce() {
        let found = errors(Self.routes + String(repeating: "#", count: 1 << 20))
        #expect(found.map(\.message) == ["the file is longer than 1MiB, the maximum"])
    }

    @Test func showsLongValuesShortened() {
        let found = errors("workers: \(String(repeating: "9", count: 10_000))\n" + Self.routes)
        #expect(found.first?.message.hasPrefix("`workers` is `\(String(repeating: "9", count: 60))…`; allowed") == true)
    }

    @Test func showsKeysOnOneLine() {
        let found = errors("\"a\\n\\e[31mb\": 1\n" + Self.routes)
        #expect(found.first?.message.hasPrefix("unknown key `a\\n\\u{1B}[31mb`") == true)
    }

    @Test func neverReportsTheValueOfAVariable() {
        let text =
            "admin: ${SECRET}\nproblem_base: ${SECRET}/\u{20}x\nroutes:\n- match: /\n  upstream: http://${SECRET}/\n"
        let found = errors(text, environment: ["SECRET": "hunter2"])
        #expect(found.count == 3)
        #expect(!found.contains { $0.message.contains("hunter2") })
    }

    @Test func variablesAddNoStructure() {
        let text = "access_log: { path: \"${PATH}\" }\n" + Self.routes
        #expect(errors(text, environment: ["PATH": "a, format: json }"]).isEmpty)
        #expect(errors(text, environment: ["PATH": "a\nadmin: off"]).count == 1)
    }

    @Test func variablesAreNotForKeys() {
        let found = errors("${KEY}: off\n" + Self.routes, environment: ["KEY": "admin"])
        #expect(found.first?.message.hasPrefix("unknown key `${KEY}`") == true)
    }

    @Test(arguments: 0..<200)
    func survivesDamage(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array("listen: [127.0.0.1:80]\nlimits: { max_streams: 5 }\n\(Self.routes)".utf8)
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[index] = "[]{}:,-?&*!|>'\"%@`# \n\t\0\u{7f}9x~<$".utf8.randomElement(using: &generator) ?? 0
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).count
        // Every outcome is right but an error without a place in the file.
        #expect(errors(text).allSatisfy { (1...lines + 1).contains($0.line) && $0.column >= 1 && !$0.message.isEmpty })
    }
}
