import Logging
import Observability
import Synchronization
import Testing

@Suite struct StandardErrorLogTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        func append(_ line: [UInt8]) { all.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }

    private struct Trouble: Error, CustomStringConvertible { let description = "no luck" }

    private func lines(
        level: Logger.Level = .info, provider: Logger.MetadataProvider? = nil, _ log: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "weir") { _ in
            StandardErrorLog(
                level: level, metadataProvider: provider, now: { Timestamp(millisecondsSince1970: 0) },
                write: { lines.append($0) })
        }
        log(&logger)
        return lines.all.withLock { $0 }
    }

    @Test func writesTimeLevelMessageAndSortedMetadata() {
        let lines = lines {
            $0[metadataKey: "worker"] = "2"
            $0.info("listening on http://127.0.0.1:8080", metadata: ["port": "8080", "a": "x"])
        }
        #expect(lines == ["1970-01-01T00:00:00.000Z info listening on http://127.0.0.1:8080 a=x port=8080 worker=2"])
    }

    @Test func keepsItsLevel() {
        let lines = lines(level: .warning) {
            $0.info("not this")
            $0.warning("this")
            $0.logLevel = .trace
            $0.trace("and this")
        }
        #expect(lines == ["1970-01-01T00:00:00.000Z warning this", "1970-01-01T00:00:00.000Z trace and this"])
    }

    @Test func theNearerMetadataWins() {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
        let lines = lines(provider: provider) {
            $0[metadataKey: "a"] = "logger"
            $0.info("m", metadata: ["c": "call"])
        }
        #expect(lines == ["1970-01-01T00:00:00.000Z info m a=provider b=provider c=call"])
    }

    @Test func namesTheError() {
        let lines = lines { $0.error("failed", error: Trouble()) }
        #expect(lines == [#"1970-01-01T00:00:00.000Z error failed error="no luck""#])
    }

    @Test(arguments: [
        ("word", "word"), ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#),
        ("a\\b", #""a\\b""#), ("a\nb", #""a\u{a}b""#), ("\u{1b}[2J", #""\u{1b}[2J""#), ("\u{9b}x", #"\u{9b}x"#),
        ("x\u{202e}y", #"x\u{202e}y"#), ("x\u{2028}y", #"x\u{2028}y"#), ("größe", "größe"),
        ("a\"\u{301}b", "\"a\\\"\u{301}b\""),
    ])
    func aValueCanNeitherForgeALineNorSteerATerminal(value: String, text: String) {
        let lines = lines { $0.info("m", metadata: ["k": "\(value)"]) }
        #expect(lines == ["1970-01-01T00:00:00.000Z info m k=\(text)"])
    }

    @Test func norCanAMessageOrAKey() {
        let lines = lines { $0.info("a\nb \"c\"", metadata: ["k k": "v"]) }
        #expect(lines == [#"1970-01-01T00:00:00.000Z info a\u{a}b "c" "k k"=v"#])
    }
}
