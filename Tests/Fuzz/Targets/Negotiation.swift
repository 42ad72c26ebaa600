import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings

@testable import Proxy

/// The values of header fields, a line each.
struct Negotiation {
    private let values: [String]

    init(_ input: UnsafeRawBufferPointer) {
        values = input.split(separator: UInt8(ascii: "\n"), maxSplits: 9, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// None, or one.
    private func value(_ place: Int) -> [String] { place < values.count ? [values[place]] : [] }

    func check() throws {
        try checkTerms(buffer: value(0), rate: value(1))
        let preferences = Preferences(prefer: value(2))
        try require((0...31_536_000).contains(preferences.wait ?? 0), "a wait out of bounds")
        try checkTrace(parents: value(3), states: value(4))
        for text in value(5) {
            try require(ResumeRequest(text).map { $0.received >= 0 } ?? true, "less than no records received")
        }
        for text in value(6) { _ = RecordFormat(contentType: text[...]) }
        try checkAddresses(xForwardedFor: value(7), forwarded: value(8))
    }

    private func checkTerms(buffer: [String], rate: [String]) throws {
        let lenient = try? StreamPreferences(bufferSize: buffer, rateLimit: rate, strictness: .lenient)
        guard let lenient else { throw FuzzFailure(description: "lenient is not") }
        if let strict = try? StreamPreferences(bufferSize: buffer, rateLimit: rate) {
            try require(strict == lenient, "strict and lenient read differently")
        }
        try require((1...999_999_999).contains(lenient.buffer ?? 1), "a buffer out of bounds")
        for text in rate {
            guard let rate = Rate(text) else { continue }
            try require(rate.spacing > 0, "records without any distance")
            try require(Rate(rate.text) == rate, "\(text) is \(rate.text), which is another rate")
        }
    }

    private func checkTrace(parents: [String], states: [String]) throws {
        var dice = Dice(seed: 1)
        let trace = TraceContext(joining: parents, using: &dice)
        let next = TraceContext(joining: [trace.traceparent], using: &dice)
        try require(!next.isOwn && next.traceId == trace.traceId, "the next one does not join \(trace.traceparent)")
        if let state = TraceContext.state(joining: states) {
            try require(!state.isEmpty && state.utf8.count <= 512, "a tracestate of \(state.utf8.count) bytes")
            try require(TraceContext.state(joining: [state]) == state, "\(state) is read differently")
        }
    }

    private func checkAddresses(xForwardedFor: [String], forwarded: [String]) throws {
        let headers = HTTPHeaders(
            xForwardedFor.map { ("x-forwarded-for", $0) } + forwarded.map { ("forwarded", $0) })
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers)
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"].compactMap(AddressBlock.init)
        for field in Configuration.ForwardedHeader.allCases {
            let client = ClientAddress(trusted: trusted, believes: field).client(
                of: try Request(head: head, peer: PeerAddress("10.0.0.1")))
            try require(IPAddress(client)?.text == client, "\(client) is no address as it is written")
        }
    }
}
