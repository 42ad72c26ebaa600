import NIOCore
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct RelayBatchTests {
    private func write(_ text: String, to batch: inout RelayBatch) {
        Array(text.utf8).withUnsafeBytes { batch.append($0) }
    }

    /// The orders as text.
    private func take(from batch: inout RelayBatch) -> [String] {
        batch.take().map { order in
            switch order {
            case .bytes(let bytes): String(buffer: bytes)
            case .head: "head"
            case .end: "end"
            default: "other"
            }
        }
    }

    @Test func nothingCollectedIsNothingInFlight() {
        var batch = RelayBatch()
        #expect(take(from: &batch).isEmpty && batch.isEmpty && !batch.isInFlight)
    }

    @Test func bytesFollowTheHeadAndPrecedeTheEnd() {
        var batch = RelayBatch()
        batch.append(.head(.ok, [:], .unknown))
        write("one ", to: &batch)
        write("two", to: &batch)
        batch.append(.end([:]))
        #expect(take(from: &batch) == ["head", "one two", "end"])
        #expect(batch.isInFlight && batch.isEmpty)
    }

    @Test func whatIsInFlightIsPendingUntilItIsTaken() {
        var batch = RelayBatch()
        write("1234", to: &batch)
        _ = take(from: &batch)
        write("56", to: &batch)
        #expect(batch.pendingBytes == 6 && batch.free == BatchSize.maximum - 2 && !batch.isEmpty)
        batch.taken()
        #expect(batch.pendingBytes == 2 && !batch.isInFlight)
        #expect(take(from: &batch) == ["56"])
    }

    @Test func whatIsDiscardedIsNotSent() {
        var batch = RelayBatch()
        batch.append(.head(.ok, [:], .unknown))
        write("1234", to: &batch)
        batch.discard()
        #expect(take(from: &batch).isEmpty && batch.pendingBytes == 0)
    }
}
