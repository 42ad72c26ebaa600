import Testing

@testable import Downstream

@Suite struct WriteProgressTests {
    @Test func aNewConnectionIsDrained() {
        let writes = WriteProgress()
        #expect(writes.isDrained && writes.canBypassChannel && !writes.isStaged && writes.total == 0)
    }

    @Test func onlyTheFirstWriteOfATurnIsReported() {
        var writes = WriteProgress()
        let stages = (0..<3).map { _ in writes.stage() }
        #expect(stages == [true, false, false])
        _ = writes.flushBegan()
        let next = writes.stage()
        #expect(next)
    }

    @Test func whatWasSentPastTheChannelNeedsNoFlush() {
        var writes = WriteProgress()
        _ = writes.stage()
        writes.sent(10)
        #expect(writes.canBypassChannel && writes.total == 10)
        let flushes = writes.flushBegan()
        #expect(!flushes && !writes.isStaged)
    }

    /// Bytes sent past the channel would overtake those in it.
    @Test func theChannelIsNotBypassedWhileItHasBytes() {
        var writes = WriteProgress()
        _ = writes.stage()
        writes.queued(10, bodyBytes: 4)
        #expect(!writes.canBypassChannel && writes.stagedBodyBytes == 4 && writes.total == 10)
        let flushes = writes.flushBegan()
        let isNews = writes.writabilityChanged(to: false)
        writes.flushEnded()
        #expect(flushes && !isNews)
        #expect(!writes.canBypassChannel && writes.stagedBodyBytes == 0)
    }

    @Test func aSocketThatDoesNotTakeAFlushBlocksUntilItIsWritable() {
        var writes = WriteProgress()
        _ = writes.stage()
        writes.queued(10, bodyBytes: 10)
        let beforeFlush = writes.writabilityChanged(to: false)
        #expect(writes.isDrained, "whether the client takes it is known after the flush")
        _ = writes.flushBegan()
        writes.flushEnded()
        #expect(!writes.isDrained)
        let afterFlush = writes.writabilityChanged(to: true)
        #expect(!beforeFlush && afterFlush && writes.isDrained && writes.canBypassChannel)
    }

    @Test func changesDuringAFlushOrAWriteAreNoNews() {
        var writes = WriteProgress()
        _ = writes.stage()
        writes.queued(10, bodyBytes: 10)
        let whileStaged = writes.writabilityChanged(to: true)
        _ = writes.flushBegan()
        let whileFlushing = writes.writabilityChanged(to: true)
        #expect(!whileStaged && !whileFlushing)
    }

    @Test func aClosedConnectionTakesNothing() {
        var writes = WriteProgress()
        _ = writes.stage()
        writes.queued(10, bodyBytes: 10)
        writes.closed()
        #expect(!writes.isDrained && !writes.canBypassChannel && !writes.isStaged)
        let flushes = writes.flushBegan()
        #expect(!flushes)
    }
}
