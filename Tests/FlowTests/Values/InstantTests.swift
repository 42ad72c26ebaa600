import Flow
import Testing

@Suite struct InstantTests {
    @Test func addsAndSubtractsADuration() {
        let start = Instant(nanoseconds: 5)
        #expect(start + .milliseconds(3) == Instant(nanoseconds: 3_000_005))
        #expect(start + .milliseconds(-3) == Instant(nanoseconds: -2_999_995))
        #expect((start + .milliseconds(3)) - start == .milliseconds(3))
        #expect(start - (start + .milliseconds(3)) == .milliseconds(-3))
    }

    @Test func stopsAtTheEndsOfTime() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant.distantPast + .seconds(-1) == .distantPast)
        #expect(Instant(nanoseconds: 1) + .seconds(Int64.max) == .distantFuture)
        #expect(Instant(nanoseconds: -2) + .seconds(Int64.min) == .distantPast)
        #expect(Instant.distantFuture - .distantPast == .nanoseconds(Int64.max))
        #expect(Instant.distantPast - .distantFuture == .nanoseconds(Int64.min))
    }

    @Test func earlierIsLess() {
        #expect(Instant.distantPast < Instant(nanoseconds: 0))
        #expect(Instant(nanoseconds: 0) < .distantFuture)
    }

    static let wholeNanoseconds: [(Duration, Int64)] = [
        (.zero, 0), (.nanoseconds(7), 7), (.milliseconds(1500), 1_500_000_000), (.seconds(-2), -2_000_000_000),
        (Duration(secondsComponent: 0, attosecondsComponent: 999), 0),
        (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
        (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min),
        (.nanoseconds(Int64.max) + .nanoseconds(1), .max), (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
    ]

    @Test(arguments: wholeNanoseconds)
    func aDurationHasWholeNanosecondsWithinInt64(duration: Duration, nanoseconds: Int64) {
        #expect(duration.nanoseconds == nanoseconds)
    }

    @Test func aDurationIsAFractionOfSeconds() {
        #expect(Duration.milliseconds(250).inSeconds == 0.25)
        #expect(Duration.seconds(-90).inSeconds == -90)
    }

    @Test(arguments: [
        (Duration.zero, 1), (.seconds(-5), 1), (.nanoseconds(1), 1), (.seconds(1), 1), (.nanoseconds(1_000_000_001), 2),
        (.milliseconds(4001), 5), (.seconds(5), 5), (Duration.nanoseconds(Int64.max), 9_223_372_037),
    ])
    func retryAfterIsWholeSecondsRoundedUpAndAtLeastOne(duration: Duration, seconds: Int) {
        #expect(duration.retryAfterSeconds == seconds)
    }
}
