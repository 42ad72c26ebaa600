import Flow
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import Proxy

@Suite struct ConnectionCounterTests {
    private static func counter(maximum: Int, perAddress: Int?) -> ConnectionCounter {
        ConnectionCounter(
            maximum: maximum, perAddress: perAddress, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func addressesOfOneNetworkCountAsOne() {
        let counter = Self.counter(maximum: 10, perAddress: 2)
        #expect(counter.enter("2001:db8::1") && counter.enter("2001:db8::2:0:0:1"))
        #expect(!counter.enter("2001:db8::3"))
        #expect(counter.enter("2001:db8:0:1::1"))
        counter.leave("2001:db8::1")
        #expect(counter.enter("2001:db8::4"))
    }

    @Test func anAddressOfIPv4CountsForItselfHoweverItIsWritten() {
        let counter = Self.counter(maximum: 10, perAddress: 1)
        #expect(counter.enter("192.0.2.1") && counter.enter("192.0.2.2"))
        #expect(!counter.enter("::ffff:192.0.2.1"))
    }

    @Test func peersOfAUnixSocketAreNotBoundedByTheirAddress() {
        let counter = Self.counter(maximum: 2, perAddress: 1)
        #expect(counter.enter("") && counter.enter(""))
        #expect(!counter.enter(""))
    }

    // MARK: Rejections

    /// Counts the warnings that are logged.
    private struct Warnings: LogHandler {
        let lines: NIOLockedValueBox<[String]>
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.withLockedValue { $0.append("\(event.metadata?["limit"] ?? "")") }
        }
    }

    @Test func rejectionsAreCountedByTheirLimitAndLoggedOnceAMinute() {
        let lines = NIOLockedValueBox<[String]>([]), seconds = NIOLockedValueBox<Int64>(0)
        let counter = ConnectionCounter(
            maximum: 2, perAddress: 1, log: Logger(label: "test") { _ in Warnings(lines: lines) },
            clock: { Instant(nanoseconds: seconds.withLockedValue { $0 } * 1_000_000_000) })
        #expect(counter.enter("192.0.2.1") && counter.rejections == .init())
        for _ in 0..<3 { #expect(!counter.enter("192.0.2.1")) }
        #expect(counter.enter("192.0.2.2") && !counter.enter("192.0.2.3"))
        #expect(counter.rejections == .init(maximum: 1, perName: 3))
        #expect(lines.withLockedValue { $0 } == ["connections_per_address"])
        seconds.withLockedValue { $0 = 60 }
        #expect(!counter.enter("192.0.2.3"))
        #expect(lines.withLockedValue { $0 } == ["connections_per_address", "max_connections"])
    }
}
