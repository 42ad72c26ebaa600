import Flow
import Testing

@testable import Proxy

@Suite struct RateLimitFieldsTests {
    private func fields(
        _ pace: String, starts: StartAllowance? = nil, quota: StartQuota? = nil
    ) throws -> RateLimitFields? {
        let terms = Terms(
            pace: try #require(Pace(pace)), burst: 1, buffer: 100, maximumBytes: .mebibytes(1),
            maximumRecordBytes: .kibibytes(256))
        return RateLimitFields(terms: terms, starts: starts, quota: quota)
    }

    /// The pace as whole records in whole seconds, in lowest terms.
    @Test(arguments: [
        ("10/second", 10, 1), ("2.5/minute", 1, 24), ("0.5/second", 1, 2), ("90/minute", 3, 2), ("1/hour", 1, 3600),
        ("0.3/hour", 1, 12_000), ("999999999/second", 999_999_999, 1),
    ]) func thePaceIsAQuotaOfRecords(pace: String, records: Int, seconds: Int) throws {
        let fields = try fields(pace)
        #expect(fields?.policy == "\"records\";q=\(records);w=\(seconds)")
        #expect(fields?.state == "\"records\";r=\(records);t=\(seconds)")
    }

    @Test func anUnlimitedPaceIsNoQuota() throws { #expect(try fields("unlimited") == nil) }

    @Test func startsAreAQuotaOfTheirOwn() throws {
        let rate = try #require(Rate("5/second"))
        let starts = StartAllowance(rate: rate, burst: 10)
        let quota = StartQuota(remaining: 7, resetSeconds: 1)
        let alone = try fields("unlimited", starts: starts, quota: quota)
        #expect(alone?.policy == "\"starts\";q=10;w=2")
        #expect(alone?.state == "\"starts\";r=7;t=1")
        let both = try fields("10/second", starts: starts, quota: quota)
        #expect(both?.policy == "\"records\";q=10;w=1, \"starts\";q=10;w=2")
        #expect(both?.state == "\"records\";r=10;t=1, \"starts\";r=7;t=1")
    }

    @Test func anAllowanceNeedsItsState() throws {
        let rate = try #require(Rate("5/second"))
        #expect(try fields("unlimited", starts: StartAllowance(rate: rate, burst: 1), quota: nil) == nil)
    }
}
