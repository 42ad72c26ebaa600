import Flow
import Testing

@Suite struct EffectiveTermsTests {
    private func wish(granted: String = "10/second", maximum: String = "100/second") throws -> EffectiveTerms {
        let policy = Policy(maximumPace: try #require(Pace(maximum)), maximumBuffer: 1000)
        let terms = Terms(
            pace: try #require(Pace(granted)), burst: 3, buffer: 100, maximumBytes: .kibibytes(7),
            maximumRecordBytes: .kibibytes(5))
        return EffectiveTerms(granted: terms, policy: policy)
    }

    @Test func withoutAWordTheGrantedTermsCount() throws {
        var wish = try wish()
        #expect(wish.terms == wish.granted)
        wish.received(Feedback(isPaused: true, request: 5))
        #expect(wish.terms == wish.granted)
    }

    @Test func aDelayIsAPace() throws {
        var wish = try wish()
        wish.received(Feedback(processingDelay: .milliseconds(250)))
        #expect(wish.terms.pace.text == "4/second")
        #expect(wish.terms.burst == 3 && wish.terms.buffer == 100)
        wish.received(Feedback(processingDelay: .milliseconds(50)))
        #expect(wish.terms.pace.text == "10/second")
        wish.received(Feedback(processingDelay: .milliseconds(1000)))
        #expect(wish.terms.pace.text == "1/second")
        wish.received(Feedback(processingDelay: .zero))
        #expect(wish.terms.pace.text == "10/second")
    }

    @Test func aDelayPacesAStreamWithoutALimit() throws {
        var wish = try wish(granted: "unlimited", maximum: "unlimited")
        wish.received(Feedback(processingDelay: .milliseconds(250)))
        #expect(wish.terms.pace.text == "4/second")
    }

    @Test func aRateMayRiseAboveTheGrantedOneUpToTheMaximum() throws {
        var wish = try wish()
        wish.received(Feedback(rate: Pace("50/s")))
        #expect(wish.terms.pace.text == "50/second")
        wish.received(Feedback(rate: Pace("5/s")))
        #expect(wish.terms.pace.text == "5/second")
        wish.received(Feedback(rate: Pace("101/s")))
        #expect(wish.terms.pace.text == "100/second")
        wish.received(Feedback(rate: .unlimited))
        #expect(wish.terms.pace.text == "10/second")
    }

    @Test func theSlowerOfRateAndDelayCounts() throws {
        var wish = try wish()
        wish.received(Feedback(processingDelay: .milliseconds(100), rate: Pace("50/s")))
        #expect(wish.terms.pace.text == "10/second")
        wish.received(Feedback(rate: Pace("2/s")))
        #expect(wish.terms.pace.text == "2/second")
        wish.received(Feedback(rate: Pace("600/m")))
        #expect(wish.terms.pace.text == "600/minute")
        wish.received(Feedback(processingDelay: .zero))
        #expect(wish.terms.pace.text == "600/minute")
    }

    @Test func theBufferIsAtMostTheMaximum() throws {
        var wish = try wish()
        for (wanted, granted) in [(50, 50), (1, 1), (1001, 1000), (1000, 1000), (999_999_999, 1000)] {
            wish.received(Feedback(bufferSize: wanted))
            #expect(wish.terms.buffer == granted)
        }
        wish.received(Feedback(rate: Pace("5/s")))
        #expect(wish.terms.buffer == 1000)
    }

    @Test func anotherMaximumCountsForWhatWasGrantedAndSaid() throws {
        var wish = try wish(granted: "10/second", maximum: "100/second")
        wish.limit(by: Policy(maximumPace: try #require(Pace("4/second")), maximumBuffer: 30))
        #expect(wish.terms.pace.text == "4/second" && wish.terms.buffer == 30)
        wish.received(Feedback(rate: .limited(try #require(Rate("20/second"))), bufferSize: 50))
        #expect(wish.terms.pace.text == "4/second" && wish.terms.buffer == 30)
        wish.limit(by: Policy(maximumPace: try #require(Pace("100/second")), maximumBuffer: 1000))
        #expect(wish.terms.pace.text == "20/second" && wish.terms.buffer == 50)
    }
}
