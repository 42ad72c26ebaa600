import Flow
import OTLP
import Observability
import TestSupport
import Testing

@testable import Proxy

/// The bodies into which the spans of all loops are divided.
@Suite struct SpanSourceTests {
    private let buffer = SpanBuffer()

    private func append(_ requests: Int) {
        var generator = SystemRandomNumberGenerator()
        let now = Instant(nanoseconds: 0)
        for _ in 0..<requests {
            let context = TraceContext(joining: [], sampling: TraceSampling(share: 1), using: &generator)
            let trace = RequestTrace(context, from: now)
            buffer.append(
                EndedRequest(
                    trace, TracedRequest(isSecure: false, authority: nil, peer: "", upstreamPath: "/"),
                    StreamFacts(client: "", method: "GET", path: "/"), StreamTotals(), StreamEnd(.completed),
                    at: now))
        }
    }

    /// The numbers of spans of the bodies until none is announced, of which each but the first is collected after `more`
    /// requests.
    private func bodies(_ more: Int = 0) -> [Int] {
        let source = SpanSource(buffers: { [buffer] }, encode: { _ in [] }, count: { _, _ in })
        var numbers: [Int] = [], hasMore = true
        while hasMore, numbers.count < 10 {
            source.collect { body in
                numbers.append(body?.spans ?? 0)
                hasMore = body?.hasMore ?? false
            }
            if numbers.count == 1 { append(more) }
        }
        return numbers
    }

    @Test func oneBodyIsEnoughForFewSpans() {
        append(3)
        #expect(bodies() == [3])
    }

    @Test func manySpansNeedSeveral() {
        append(1200)
        #expect(bodies() == [512, 512, 176, 0])
    }

    @Test func whatIsAddedWhileTheRestIsExportedIsExportedAsWell() {
        append(1200)
        #expect(bodies(40) == [512, 512, 176, 40])
    }
}
