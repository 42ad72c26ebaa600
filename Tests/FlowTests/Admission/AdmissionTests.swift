import Flow
import TestSupport
import Testing

@Suite struct AdmissionTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")

    @Test func withoutLimitsEverybodyIsAdmitted() throws {
        var admission = Admission(limits: .init())
        for _ in 0..<1000 { try admission.admit(ann, at: .seconds(0)) }
        #expect(admission.openStreams == 1000)
        #expect(admission.remainingStarts(of: ann, at: .seconds(0)) == nil)
    }

    @Test func theStreamsOfAClientAreLimited() throws {
        var admission = Admission(limits: .init(perClient: 2))
        try admission.admit(ann, at: .seconds(0))
        try admission.admit(ann, at: .seconds(0))
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 2)) { try admission.admit(ann, at: .seconds(0)) }
        try admission.admit(ben, at: .seconds(0))
        admission.released(ann)
        try admission.admit(ann, at: .seconds(0))
        #expect(admission.openStreams == 3)
    }

    @Test func theStreamsOfARouteAreLimited() throws {
        var admission = Admission(limits: .init(perRoute: 2))
        try admission.admit(ann, at: .seconds(0))
        try admission.admit(ben, at: .seconds(0))
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 2)) { try admission.admit(ann, at: .seconds(0)) }
        admission.released(ben)
        try admission.admit(ann, at: .seconds(0))
    }

    @Test func plainRequestsAreNoStreams() throws {
        var admission = Admission(limits: .init(perClient: 1, perRoute: 1))
        try admission.admit(ann, at: .seconds(0))
        admission.turnedOutPlain(ann)
        #expect(admission.openStreams == 0)
        try admission.admit(ann, at: .seconds(0))
        admission.turnedOutPlain(ann)
        #expect(admission.openRequests == 2)
        admission.released(ann, isStream: false)
        try admission.admit(ann, at: .seconds(0))
        #expect(admission.openStreams == 1)
        #expect(admission.openRequests == 2)
    }

    @Test func startsComeAtTheirRateAfterABurst() throws {
        let rate = try Rate.of("2/second")
        var admission = Admission(limits: .init(starts: rate, startsBurst: 3))
        for _ in 0..<3 { try admission.admit(ann, at: .seconds(0)) }
        #expect(throws: AdmissionError.tooManyStarts(rate: rate, retryAfter: .milliseconds(500))) {
            try admission.admit(ann, at: .seconds(0))
        }
        #expect(throws: AdmissionError.tooManyStarts(rate: rate, retryAfter: .nanoseconds(1))) {
            try admission.admit(ann, at: .seconds(0.5).advanced(byNanoseconds: -1))
        }
        try admission.admit(ann, at: .seconds(0.5))
    }

    @Test func oneClientsStartsAreNotAnothers() throws {
        var admission = Admission(limits: .init(starts: try .of("1/hour")))
        try admission.admit(ann, at: .seconds(0))
        try admission.admit(ben, at: .seconds(0))
    }

    @Test func remainingStartsFallWithEachStartAndRiseWithTime() throws {
        var admission = Admission(limits: .init(starts: try .of("1/minute"), startsBurst: 2))
        #expect(admission.remainingStarts(of: ann, at: .seconds(0)) == StartQuota(remaining: 2, resetSeconds: 0))
        try admission.admit(ann, at: .seconds(0))
        #expect(admission.remainingStarts(of: ann, at: .seconds(0)) == StartQuota(remaining: 1, resetSeconds: 60))
        try admission.admit(ann, at: .seconds(0))
        #expect(admission.remainingStarts(of: ann, at: .seconds(0.5)) == StartQuota(remaining: 0, resetSeconds: 120))
        #expect(admission.remainingStarts(of: ann, at: .seconds(60)) == StartQuota(remaining: 1, resetSeconds: 60))
        #expect(admission.remainingStarts(of: ann, at: .seconds(120)) == StartQuota(remaining: 2, resetSeconds: 0))
    }

    @Test func aResponseThatIsNoStreamGivesItsStartBack() throws {
        var admission = Admission(limits: .init(starts: try .of("1/hour")))
        for _ in 0..<5 {
            try admission.admit(ann, at: .seconds(0))
            admission.turnedOutPlain(ann)
        }
        try admission.admit(ann, at: .seconds(0))
        #expect(throws: AdmissionError.self) { try admission.admit(ann, at: .seconds(0)) }
    }

    @Test func startsAreLookedAtLastSoThatARetryFindsNothingElseInTheWay() throws {
        var admission = Admission(limits: .init(perClient: 1, starts: try .of("1/hour")))
        try admission.admit(ann, at: .seconds(0))
        #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) { try admission.admit(ann, at: .seconds(0)) }
    }

    @Test func lowerLimitsLeaveOpenStreamsAloneAndBindNewOnes() throws {
        var admission = Admission(limits: .init(perRoute: 3))
        for _ in 0..<3 { try admission.admit(ann, at: .seconds(0)) }
        admission.limits = .init(perRoute: 1)
        #expect(admission.openStreams == 3)
        for _ in 0..<2 { admission.released(ann) }
        #expect(throws: AdmissionError.tooManyStreamsOfRoute(limit: 1)) { try admission.admit(ben, at: .seconds(0)) }
        admission.released(ann)
        try admission.admit(ben, at: .seconds(0))
    }

    @Test func theSlowestRateAndTheLargestBurstDoNotOverflow() throws {
        var admission = Admission(limits: .init(starts: try .of("0.000001/hour"), startsBurst: .max))
        for _ in 0..<10 { try admission.admit(ann, at: .seconds(0)) }
        #expect(try #require(admission.remainingStarts(of: ann, at: .seconds(0))).remaining >= 0)
    }

    @Test func aMillionClientsThatCameAndWentAreForgotten() throws {
        var admission = Admission(limits: .init(perClient: 1, starts: try .of("10/second"), startsBurst: 1))
        var most = 0
        for number in 0..<1_000_000 {
            let client = ClientKey("client-\(number)")
            try admission.admit(client, at: .seconds(Double(number) / 1000))
            admission.released(client)
            most = max(most, admission.knownClients)
        }
        // In 100 ms, until an allowance is full again, 100 others come; the sweep holds some more.
        #expect((100...200).contains(most))
        #expect(admission.openStreams == 0)
    }

    @Test func clientsWithStreamsAreRememberedAsLongAsTheyHaveThem() throws {
        var admission = Admission(limits: .init(perClient: 1))
        for number in 0..<1000 { try admission.admit(ClientKey("\(number)"), at: .seconds(0)) }
        for number in 0..<1000 {
            #expect(throws: AdmissionError.tooManyStreamsOfClient(limit: 1)) {
                try admission.admit(ClientKey("\(number)"), at: .seconds(100))
            }
        }
        for number in 0..<1000 { admission.released(ClientKey("\(number)")) }
        for _ in 0..<1000 {
            try admission.admit(ann, at: .seconds(200))
            admission.released(ann)
        }
        #expect(admission.knownClients <= 1)
    }
}
