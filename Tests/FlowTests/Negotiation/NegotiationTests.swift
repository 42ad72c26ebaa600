import Flow
import Testing

@Suite struct NegotiationTests {
    private func policy(overLimit: Policy.OverLimit = .clamp) throws -> Policy {
        Policy(
            defaultPace: .limited(try .of("10/second")), maximumPace: .limited(try .of("6000/min")), burst: 3,
            defaultBuffer: 100, maximumBuffer: 1000, maximumBytes: .kibibytes(7), maximumRecordBytes: .kibibytes(5),
            overLimit: overLimit)
    }

    @Test func aMissingPreferenceIsTheDefault() throws {
        let terms = try policy().terms(for: StreamPreferences())
        #expect(
            terms
                == Terms(
                    pace: .limited(try .of("10/second")), burst: 3, buffer: 100, maximumBytes: .kibibytes(7),
                    maximumRecordBytes: .kibibytes(5)))
    }

    @Test(arguments: [
        ("5/second", "5/second"), ("300/m", "300/minute"), ("100/s", "100/second"), ("6000/m", "6000/minute"),
        ("101/s", "6000/minute"), ("999999999/s", "6000/minute"), ("0.5/h", "0.5/hour"),
    ])
    func grantsTheSlowerOfRequestAndMaximumAsItWasWritten(asked: String, granted: String) throws {
        #expect(try policy().terms(for: StreamPreferences(rate: .of(asked))).pace.text == granted)
    }

    @Test(arguments: [(1, 1), (999, 999), (1000, 1000), (1001, 1000), (999_999_999, 1000)])
    func grantsTheSmallerBufferOfRequestAndMaximum(asked: Int, granted: Int) throws {
        #expect(try policy().terms(for: StreamPreferences(buffer: asked)).buffer == granted)
    }

    @Test func whereThePaceIsUnlimitedTheClientStillGetsTheRateItAsks() throws {
        let terms = try Policy().terms(for: StreamPreferences(rate: .of("7/s")))
        #expect(terms.pace == .limited(try .of("7/second")))
        #expect(try Policy().terms(for: StreamPreferences()).pace == .unlimited)
    }

    @Test func aRouteMayRefuseRequestsAboveItsMaximum() throws {
        let policy = try policy(overLimit: .reject)
        #expect(
            throws: NegotiationError.aboveMaximum(header: "X-Stream-Rate-Limit", maximum: "6000/minute")
        ) { try policy.terms(for: StreamPreferences(rate: .of("101/s"))) }
        #expect(throws: NegotiationError.aboveMaximum(header: "X-Stream-Buffer-Size", maximum: "1000")) {
            try policy.terms(for: StreamPreferences(buffer: 1001))
        }
        #expect(try policy.terms(for: StreamPreferences(buffer: 1000, rate: .of("100/s"))).buffer == 1000)
    }
}
