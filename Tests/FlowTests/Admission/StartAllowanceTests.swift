import Flow
import TestSupport
import Testing

@Suite struct StartAllowanceTests {
    /// A client that waits for its whole seconds is admitted, whatever the rate and the burst.
    @Test(arguments: 0..<200) func aRetryAfterIsTrue(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let unit = try #require(Rate.Unit.allCases.randomElement(using: &random))
        let rate = try #require(Rate(Int.random(in: 1...500, using: &random), per: unit))
        var admission = Admission(
            limits: .init(starts: rate, startsBurst: Int.random(in: 1...20, using: &random)))
        let client = ClientKey("ann")
        var now = Instant.seconds(0)
        for _ in 0..<50 {
            now = now.advanced(byNanoseconds: Int64.random(in: 0...rate.spacing, using: &random))
            do throws(AdmissionError) {
                try admission.admit(client, at: now)
            } catch {
                now = now + .seconds(error.retryAfter.retryAfterSeconds)
                #expect(throws: Never.self) { try admission.admit(client, at: now) }
            }
        }
    }

    @Test func anAllowanceIsKeptAsWritten() throws {
        let allowance = StartAllowance(rate: try .of("30/m"), burst: 4)
        #expect(allowance.rate.text == "30/minute")
        #expect(allowance.burst == 4)
    }
}
