import Flow
import TestSupport
import Testing

/// The return times of clients that were refused for their starts.
@Suite struct AdmissionReturnTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")
    private let now = Instant.seconds(100)

    private func spent(_ rate: String, burst: Int) throws -> Admission {
        var admission = Admission(limits: .init(starts: try .of(rate), startsBurst: burst))
        for _ in 0..<burst { try admission.admit(ann, at: now) }
        return admission
    }

    private func planned(_ count: Int, _ admission: inout Admission, at now: Instant) throws -> [Int] {
        try (0..<count).map { _ in
            let wait = admission.planReturn(of: ann, at: now)
            return try #require(wait).retryAfterSeconds
        }
    }

    @Test func thirtyAtOnceComeBackAsTheAllowanceAdmitsThem() throws {
        var admission = try spent("5/second", burst: 10)
        let waits = try planned(30, &admission, at: now)
        #expect(waits == (1...6).flatMap { Array(repeating: $0, count: 5) })
    }

    @Test(arguments: [("5/second", 10), ("2/second", 1), ("90/minute", 3), ("1/minute", 2), ("10/hour", 1)])
    func everyReturnInTimeIsAdmitted(rate: String, burst: Int) throws {
        var admission = try spent(rate, burst: burst)
        for seconds in try planned(20, &admission, at: now) {
            try admission.admit(ann, at: now + .seconds(seconds))
        }
    }

    @Test func laterRefusalsHaveLaterReturns() throws {
        var admission = try spent("1/second", burst: 1)
        #expect(try planned(3, &admission, at: now) == [1, 2, 3])
        #expect(try planned(1, &admission, at: now + .milliseconds(500)) == [4])
        #expect(try planned(1, &admission, at: now + .seconds(3)) == [3])
    }

    @Test func planningTakesNoStart() throws {
        var admission = try spent("1/second", burst: 1)
        _ = try planned(50, &admission, at: now)
        try admission.admit(ann, at: now + .seconds(1))
    }

    @Test func clientsThatDoNotWaitPushTheTimeAheadWithinABound() throws {
        var admission = try spent("10/second", burst: 1)
        let waits = try planned(10_000, &admission, at: now)
        #expect(waits.max() == 11)
        #expect(try planned(1, &admission, at: now + .seconds(60)) == [1])
    }

    @Test func otherClientsAreNotConcerned() throws {
        var admission = try spent("1/second", burst: 1)
        _ = try planned(50, &admission, at: now)
        try admission.admit(ben, at: now)
        #expect(admission.planReturn(of: ben, at: now) == .seconds(1))
    }

    @Test func withoutALimitThereIsNothingToPlan() throws {
        var admission = Admission(limits: .init(perClient: 1))
        try admission.admit(ann, at: now)
        #expect(admission.planReturn(of: ann, at: now) == nil)
    }

    @Test func theSlowestRateDoesNotOverflow() throws {
        var admission = try spent("0.000001/hour", burst: 1)
        for _ in 0..<200 { #expect(admission.planReturn(of: ann, at: now) ?? .zero > .zero) }
    }
}
