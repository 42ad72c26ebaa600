import TestSupport
import Testing

@testable import Flow

@Suite struct QuotaUseTests {
    private let quota = RecordQuota(records: 10, per: .minute)

    @Test func theRecordsOfAWindowAreDueAtOnceAndTheNextWhenItEnds() {
        var use = QuotaUse()
        let first = use.draw(upTo: 7, of: quota, at: .seconds(5))
        #expect(first.records == 7 && first.from == .seconds(5))
        let second = use.draw(upTo: 7, of: quota, at: .seconds(20))
        #expect(second.records == 3 && second.from == .seconds(5))
        #expect(use.remaining(of: quota, at: .seconds(20)) == 0)
        #expect(use.wait(for: quota, at: .seconds(20)) == .seconds(45))
        #expect(use.wait(for: quota, at: .seconds(65)) == .zero)
        let third = use.draw(upTo: 7, of: quota, at: .seconds(20))
        #expect(third.records == 7 && third.from == .seconds(65))
        #expect(use.wait(for: quota, at: .seconds(20)) == .seconds(45))
    }

    @Test func aWindowBeginsWithTheFirstRecordAfterAnIdleOne() {
        var use = QuotaUse()
        _ = use.draw(upTo: 10, of: quota, at: .seconds(0))
        #expect(use.reset(of: quota, at: .seconds(59)) == .seconds(1))
        #expect(use.reset(of: quota, at: .seconds(61)) == .zero)
        let later = use.draw(upTo: 10, of: quota, at: .seconds(100))
        #expect(later.records == 10 && later.from == .seconds(100))
        #expect(use.reset(of: quota, at: .seconds(100)) == .seconds(60))
    }

    @Test func whatIsGivenBackIsAvailableAgain() {
        var use = QuotaUse()
        _ = use.draw(upTo: 10, of: quota, at: .seconds(0))
        use.giveBack(4)
        #expect(use.remaining(of: quota, at: .seconds(1)) == 4)
        use.giveBack(100)
        #expect(use.remaining(of: quota, at: .seconds(1)) == 10 && use.reset(of: quota, at: .seconds(1)) == .zero)
    }

    @Test func aSmallerQuotaAppliesToWhatWasUsed() {
        var use = QuotaUse()
        _ = use.draw(upTo: 10, of: quota, at: .seconds(0))
        let less = RecordQuota(records: 3, per: .minute)
        #expect(use.remaining(of: less, at: .seconds(1)) == 0)
        #expect(use.draw(upTo: 5, of: less, at: .seconds(1)).from > .seconds(1))
    }

    /// In no window is more due than the quota, and what was refused until a time is possible then.
    @Test(arguments: 0..<100) func neverMoreThanTheQuotaInAWindow(seed: Int) {
        var random = SeededGenerator(seed: seed), use = QuotaUse()
        let quota = RecordQuota(records: Int.random(in: 1...20, using: &random), per: .minute)
        var due: [(from: Instant, records: Int64)] = [], now = Instant.seconds(0)
        for _ in 0..<200 {
            now = now + .seconds(Double.random(in: 0...30, using: &random))
            let wait = use.wait(for: quota, at: now)
            let lease = use.draw(upTo: Int64.random(in: 1...30, using: &random), of: quota, at: now)
            #expect(wait == max(.zero, lease.from - now))
            due.append((max(lease.from, now), lease.records))
        }
        for first in due {
            let window = due.filter { $0.from >= first.from && $0.from < first.from + .seconds(60) }
            // Two fixed windows overlap each interval of their length.
            #expect(window.reduce(0) { $0 + $1.records } <= 2 * Int64(quota.records))
        }
    }
}
