import Flow
import Testing

@Suite struct RateDelayTests {
    @Test(arguments: [
        (Duration.milliseconds(250), "4/second"), (.seconds(1), "1/second"), (.milliseconds(1), "1000/second"),
        (.milliseconds(3), "20000/minute"), (.milliseconds(1500), "40/minute"), (.seconds(20), "3/minute"),
        (.seconds(8), "7.5/minute"), (.seconds(60), "1/minute"), (.seconds(3600), "1/hour"),
        (.seconds(7200), "0.5/hour"),
        (.milliseconds(16), "62.5/second"), (.nanoseconds(2), "500000000/second"),
    ])
    func isExactWhereItCanBe(delay: Duration, text: String) throws {
        let rate = try #require(Rate(oneEvery: delay))
        #expect(rate.text == text)
        #expect(rate.spacing == delay.nanoseconds)
        #expect(try rate == .of(text))
    }

    @Test(arguments: [
        (Duration.milliseconds(7), "142.857142/second"), (.seconds(7), "8.571428/minute"),
        (.seconds(3599), "1.000277/hour"), (.seconds(100 * 365 * 86_400), "0.000001/hour"),
    ])
    func isRoundedDownWhereItCannot(delay: Duration, text: String) throws {
        #expect(try #require(Rate(oneEvery: delay)).text == text)
    }

    @Test func neverComesFasterThanTheDelay() throws {
        for milliseconds in Array(1...3000) + stride(from: 3001, through: 3_600_000, by: 997) {
            let delay = Duration.milliseconds(milliseconds)
            let spacing = try #require(Rate(oneEvery: delay)).spacing
            #expect(spacing >= delay.nanoseconds)
            #expect(Double(spacing) <= Double(delay.nanoseconds) * 1.000_001)
        }
    }

    @Test func noTimeAndEndlessTimeAreNoRate() {
        let seconds: [Duration] = [.zero, .seconds(-1), .nanoseconds(1), .seconds(Int64.max)]
        for delay in seconds { #expect(Rate(oneEvery: delay) == nil) }
    }
}
