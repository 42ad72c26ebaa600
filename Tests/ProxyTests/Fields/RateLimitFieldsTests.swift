import Flow
import Testing

@testable import Proxy

@Suite struct RateLimitFieldsTests {
    private func fields(
        _ pace: String, limits: Admission.Limits = .init(), quotas: ClientQuotas = .init()
    ) throws -> RateLimitFields? {
        let terms = Terms(
            pace: try #require(Pace(pace)), burst: 1, buffer: 100, maximumBytes: .mebibytes(1),
            maximumRecordBytes: .kibibytes(256))
        return RateLimitFields(terms: terms, limits: limits, quotas: quotas)
    }

    /// The pace as whole records in whole seconds, in lowest terms.
    @Test(arguments: [
        ("10/second", 10, 1), ("2.5/minute", 1, 24), ("0.5/second", 1, 2), ("90/minute", 3, 2), ("1/hour", 1, 3600),
        ("0.3/hour", 1, 12_000), ("999999999/second", 999_999_999, 1),
    ]) func thePaceIsAQuotaOfRecordsAndNotOfRequests(pace: String, records: Int, seconds: Int) throws {
        let fields = try fields(pace)
        #expect(fields?.policy == "\"records\";q=\(records);w=\(seconds);qu=\"records\"")
        #expect(fields?.state == "\"records\";r=\(records);t=\(seconds)")
    }

    @Test func recordsWithWeightsAreCountedInUnits() throws {
        let terms = Terms(
            pace: try #require(Pace("10/second")), burst: 1, buffer: 1, maximumBytes: .mebibytes(1),
            maximumRecordBytes: .kibibytes(1))
        let part = RecordQuotas.Part(limit: 9, seconds: 1, remaining: 9, resetSeconds: 0)
        let quotas = ClientQuotas(records: RecordQuotas(rate: part))
        let fields = RateLimitFields(terms: terms, limits: .init(), quotas: quotas, unit: "units")
        #expect(
            fields?.policy
                == "\"records\";q=10;w=1;qu=\"units\", \"client-records\";q=9;w=1;qu=\"units\"")
    }

    @Test func anUnlimitedPaceIsNoQuota() throws { #expect(try fields("unlimited") == nil) }

    @Test func startsAreAQuotaOfRequests() throws {
        let rate = try #require(Rate("5/second"))
        let limits = Admission.Limits(starts: rate, startsBurst: 10)
        let quotas = ClientQuotas(starts: StartQuota(remaining: 7, resetSeconds: 1))
        let alone = try fields("unlimited", limits: limits, quotas: quotas)
        #expect(alone?.policy == "\"starts\";q=10;w=2")
        #expect(alone?.state == "\"starts\";r=7;t=1")
        let both = try fields("10/second", limits: limits, quotas: quotas)
        #expect(both?.policy == "\"records\";q=10;w=1;qu=\"records\", \"starts\";q=10;w=2")
        #expect(both?.state == "\"records\";r=10;t=1, \"starts\";r=7;t=1")
    }

    @Test func openStreamsAreAQuotaOfConcurrentRequests() throws {
        let fields = try fields("unlimited", limits: .init(perClient: 10), quotas: .init(streams: 3))
        #expect(fields?.policy == "\"streams\";q=10;qu=\"concurrent-requests\"")
        #expect(fields?.state == "\"streams\";r=3")
    }

    @Test func theRecordsOfAllStreamsAreQuotasOfTheirOwn() throws {
        let records = RecordQuotas(
            rate: .init(limit: 30, seconds: 3, remaining: 29, resetSeconds: 1),
            quota: .init(limit: 100_000, seconds: 86_400, remaining: 7, resetSeconds: 3600))
        let fields = try fields("unlimited", quotas: .init(records: records))
        let policies = [
            #""client-records";q=30;w=3;qu="records""#, #""client-quota";q=100000;w=86400;qu="records""#,
        ]
        #expect(fields?.policy == policies.joined(separator: ", "))
        #expect(fields?.state == #""client-records";r=29;t=1, "client-quota";r=7;t=3600"#)
    }

    @Test func aLimitNeedsItsState() throws {
        let rate = try #require(Rate("5/second"))
        let limits = Admission.Limits(perClient: 2, starts: rate, startsBurst: 1)
        #expect(try fields("unlimited", limits: limits) == nil)
    }
}
