import Flow
import TestSupport
import Testing

@Suite struct AdmissionDryRunTests {
    private let ann = ClientKey("ann"), ben = ClientKey("ben")

    @Test func everyLimitOnClientsIsReportedAndNotEnforced() throws {
        let rate = try Rate.of("1/hour")
        var admission = Admission(limits: .init(perClient: 2, perRoute: 3, starts: rate, isDryRun: true))
        #expect(try admission.admit(ann, at: .seconds(0)).wouldRefuse == nil)
        #expect(
            try admission.admit(ann, at: .seconds(0)).wouldRefuse
                == .tooManyStarts(rate: rate, retryAfter: .seconds(3600)))
        #expect(try admission.admit(ann, at: .seconds(0)).wouldRefuse == .tooManyStreamsOfClient(limit: 2))
        #expect(try admission.admit(ben, at: .seconds(0)).wouldRefuse == .tooManyStreamsOfRoute(limit: 3))
        #expect(admission.openStreams == 4)
        for _ in 0..<3 { admission.released(ann) }
        admission.released(ben)
        #expect(admission.openStreams == 0)
        #expect(admission.openRequests == 0)
    }

    @Test func aStartThatWouldBeRefusedIsNotTakenAndNotGivenBack() throws {
        var admission = Admission(limits: .init(starts: try .of("1/second"), startsBurst: 2, isDryRun: true))
        for _ in 0..<2 { try admission.admit(ann, at: .seconds(0)) }
        let refused = try admission.admit(ann, at: .seconds(0))
        #expect(refused.wouldRefuse != nil)
        admission.turnedOutPlain(ann, admitted: refused)
        #expect(admission.remainingStarts(of: ann, at: .seconds(0)) == StartQuota(remaining: 0, resetSeconds: 2))
        #expect(try admission.admit(ann, at: .seconds(1)).wouldRefuse == nil)
    }

    /// Starts alone: whom a dry run would refuse is whom the limit refuses.
    @Test(arguments: 0..<50) func reportsTheStartsThatTheLimitWouldRefuse(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let rate = try #require(Rate(Int.random(in: 1...20, using: &random), per: .second))
        let burst = Int.random(in: 1...4, using: &random)
        var binding = Admission(limits: .init(starts: rate, startsBurst: burst))
        var dry = Admission(limits: .init(starts: rate, startsBurst: burst, isDryRun: true))
        var now = Instant.seconds(0), refusals = 0
        for _ in 0..<400 {
            now = now + .milliseconds(Int.random(in: 0...60, using: &random))
            let client = ClientKey("\(Int.random(in: 0..<2, using: &random))")
            let isPlain = Int.random(in: 0..<4, using: &random) == 0
            let admitted = try dry.admit(client, at: now)
            if isPlain { dry.turnedOutPlain(client, admitted: admitted) }
            do throws(AdmissionError) {
                try binding.admit(client, at: now)
                #expect(admitted.wouldRefuse == nil)
                if isPlain { binding.turnedOutPlain(client) }
            } catch {
                #expect(admitted.wouldRefuse == error)
                refusals += 1
            }
            dry.released(client, isStream: !isPlain)
        }
        #expect(refusals > 0)
        #expect(dry.openStreams == 0)
        #expect(dry.openRequests == 0)
    }
}
