import Flow
import Testing

@Suite struct RetryRulesTests {
    private func attempt(_ change: (inout FailedAttempt) -> Void = { _ in }) -> FailedAttempt {
        var attempt = FailedAttempt(number: 1, isIdempotent: true)
        change(&attempt)
        return attempt
    }

    private func rules(_ change: (inout RetryRules) -> Void = { _ in }) -> RetryRules {
        var rules = RetryRules()
        change(&rules)
        return rules
    }

    @Test func anIdempotentRequestIsRepeated() { #expect(rules().mayRetry(after: attempt())) }

    @Test(arguments: 1...3) func attemptsAreLimited(number: Int) {
        #expect(rules { $0.attempts = 3 }.mayRetry(after: attempt { $0.number = number }) == (number < 3))
    }

    @Test(arguments: [false, true], [false, true])
    func anotherRequestIsRepeatedIfItWasNotSentOrTheRulesPermitIt(wasSent: Bool, isPermitted: Bool) {
        let rules = rules { $0.repeatsNonIdempotent = isPermitted }
        let failed = attempt { ($0.isIdempotent, $0.wasSent) = (false, wasSent) }
        #expect(rules.mayRetry(after: failed) == (!wasSent || isPermitted))
    }

    @Test(arguments: [false, true]) func aBodyThatIsNotKnownAnyMoreIsNotSentAgain(wasSent: Bool) {
        let rules = rules { $0.repeatsNonIdempotent = true }
        #expect(!rules.mayRetry(after: attempt { ($0.hasWholeBody, $0.wasSent) = (false, wasSent) }))
    }

    @Test func whatAnotherUpstreamWouldSendAsWellIsNotRepeated() {
        #expect(!rules().mayRetry(after: attempt { $0.isOfOneUpstream = false }))
    }

    // MARK: The body

    @Test(arguments: [nil, 0, 1, 65_536]) func aBodyWithinTheBoundIsKept(length: Int?) {
        #expect(rules().keptBytes(isIdempotent: true, length: length) == 65_536)
    }

    @Test func aLongerOneIsNotBegun() { #expect(rules().keptBytes(isIdempotent: true, length: 65_537) == 0) }

    @Test func nothingIsKeptWithoutAnotherAttempt() {
        #expect(rules().keptBytes(isIdempotent: false, length: 10) == 0)
        #expect(rules { $0.attempts = 1 }.keptBytes(isIdempotent: true, length: 10) == 0)
        #expect(rules { $0.maximumBodyBytes = nil }.keptBytes(isIdempotent: true, length: 10) == 0)
        let permitting = rules { ($0.repeatsNonIdempotent, $0.maximumBodyBytes) = (true, ByteCount(20)) }
        #expect(permitting.keptBytes(isIdempotent: false, length: 10) == 20)
    }
}
