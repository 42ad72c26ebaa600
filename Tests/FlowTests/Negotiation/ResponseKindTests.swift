import Flow
import Testing

@Suite struct ResponseKindTests {
    private func kind(
        _ contentType: String? = "application/ndjson", status: Int = 200, codings: [Substring] = [], length: Int? = nil,
        hasBody: Bool = true, framing: Framing = .auto, isRateGranted: Bool = true
    ) -> ResponseKind {
        ResponseKind(
            .init(status: status, contentType: contentType, codings: codings, length: length, hasBody: hasBody),
            framing: framing, isRateGranted: isRateGranted)
    }

    @Test func onlyASuccessfulResponseWithABodyIsAStream() {
        for framing in Framing.allCases {
            for status in [100, 199, 300, 304, 404, 500] { #expect(kind(status: status, framing: framing) == .plain) }
            #expect(kind(hasBody: false, framing: framing) == .plain)
        }
        #expect(kind(status: 299) == .stream(.ndjson))
        #expect(kind(nil, isRateGranted: false) == .plain)
    }

    @Test func aNamedFramingIsStrongerThanTheContentType() {
        #expect(Framing.allCases == [.auto, .ndjson, .sse, .jsonSequence, .none])
        let kinds = Framing.allCases.map { kind("text/plain", framing: $0) }
        #expect(kinds == [.unknownType, .stream(.ndjson), .stream(.sse), .stream(.jsonSequence), .plain])
        #expect(kind(framing: .none) == .plain)
    }

    @Test func aRegisteredCodingHidesTheRecords() {
        #expect(kind(codings: ["gzip"]) == .coded(.gzip))
        #expect(kind(codings: ["none", " Br"]) == .coded(.br))
        #expect(kind("text/plain", codings: ["dcz"], framing: .sse) == .coded(.dcz))
        #expect(kind(codings: ["gzip"], isRateGranted: false) == .coded(.gzip))
    }

    @Test(arguments: ["identity", "Identity", "none", "UTF-8", "", "binary"])
    func anyOtherWordDoesNot(coding: Substring) {
        #expect(kind(codings: [coding]) == .stream(.ndjson))
    }

    @Test func aRateThatCannotBeAppliedIsReported() {
        #expect(kind("application/json").unmeteredCause == .contentType)
        #expect(kind(nil).unmeteredCause == .contentType)
        #expect(kind(codings: ["gzip"]).unmeteredCause == .contentEncoding)
        #expect(kind("application/json", codings: ["gzip"]).unmeteredCause == .contentType)
        #expect(kind().unmeteredCause == nil)
    }

    @Test func withoutARateAndForADocumentOrAnErrorNothingIs() {
        let most = ResponseKind.longestDocument.bytes
        #expect(kind("application/json", isRateGranted: false) == .plain)
        #expect(kind("application/json", length: most) == .plain)
        #expect(kind("application/json", length: most + 1) == .unknownType)
        #expect(kind("application/json", status: 404) == .plain)
        #expect(kind("application/json", hasBody: false) == .plain)
        #expect(kind("application/json", framing: .none) == .plain)
    }
}
