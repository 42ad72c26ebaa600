import Flow
import OTLP
import Observability
import Testing

@Suite struct SpanBufferTests {
    /// A request with that many attempts.
    private func request(attempts: Int, at now: Instant = .test) -> EndedRequest {
        let trace = RequestTrace(.test(), from: now)
        for _ in 0..<attempts { _ = trace.attemptBegan(at: "http://one", now) }
        return EndedRequest(
            trace, TracedRequest(isSecure: false, authority: nil, peer: "", upstreamPath: "/"),
            StreamFacts(client: "", method: "GET", path: "/"), StreamTotals(), StreamEnd(.completed), at: now)
    }

    @Test func takesEverythingOnceInItsOrder() {
        let buffer = SpanBuffer()
        for second in 1...3 { buffer.append(request(attempts: 1, at: .test + .seconds(second))) }
        let began = buffer.takeAll().map { $0.spans[0].began }
        #expect(began == (1...3).map { .test + .seconds($0) })
        #expect(buffer.takeAll().isEmpty)
        #expect(buffer.dropped == 0)
    }

    @Test func isBoundedAndCountsTheSpansThatHaveNoRoom() {
        let buffer = SpanBuffer(capacity: 3)
        buffer.append(request(attempts: 1))
        buffer.append(request(attempts: 2))
        buffer.append(request(attempts: 0))
        #expect(buffer.takeAll().count == 2)
        #expect(buffer.dropped == 3)
        buffer.append(request(attempts: 2))
        #expect(buffer.takeAll().count == 1)
        #expect(buffer.dropped == 3)
    }
}
