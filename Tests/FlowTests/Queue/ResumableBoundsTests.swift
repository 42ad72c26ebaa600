import Flow
import TestSupport
import Testing

@Suite struct ResumableBoundsTests {
    private typealias Size = ResumableBounds.Size

    private let bounds = ResumableBounds(.init(records: 11, bytes: 1001))

    @Test func withAClientEachHasHalfAndTheReplayBufferWhatTheQueueLeaves() {
        #expect(bounds.queue == Size(records: 6, bytes: 501))
        #expect(bounds.replay(beside: .init(records: 0, bytes: 0)) == Size(records: 11, bytes: 1001))
        #expect(bounds.replay(beside: .init(records: 2, bytes: 900)) == Size(records: 9, bytes: 500))
        #expect(bounds.replay(beside: .init(records: 6, bytes: 501)) == Size(records: 5, bytes: 500))
    }

    @Test func withoutAClientTheQueueHasWhatTheReplayBufferLeaves() {
        #expect(bounds.queue(beside: .init(records: 0, bytes: 0)) == Size(records: 11, bytes: 1001))
        #expect(bounds.queue(beside: .init(records: 2, bytes: 100)) == Size(records: 9, bytes: 901))
        #expect(bounds.queue(beside: .init(records: 11, bytes: 1001)) == bounds.queue, "never less than with a client")
    }

    @Test func aBoundOfOneIsTheQueues() {
        let one = ResumableBounds(.init(records: 1, bytes: 1))
        #expect(one.queue == Size(records: 1, bytes: 1))
        #expect(one.replay(beside: .init(records: 1, bytes: 1)) == Size(records: 0, bytes: 0))
    }

    /// However the queue fills while the stream is read on, both together stay within the bounds.
    @Test func togetherTheyStayWithinTheBounds() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let total = Size(records: .random(in: 1...40, using: &random), bytes: .random(in: 1...400, using: &random))
            let bounds = ResumableBounds(total)
            let sent = Size(
                records: .random(in: 0...total.records, using: &random),
                bytes: .random(in: 0...total.bytes, using: &random))
            let most = bounds.queue(beside: sent)
            let queued = Size(
                records: .random(in: 0...most.records, using: &random),
                bytes: .random(in: 0...most.bytes, using: &random))
            let kept = bounds.replay(beside: queued)
            #expect(queued.records + min(sent.records, kept.records) <= total.records)
            #expect(queued.bytes + min(sent.bytes, kept.bytes) <= total.bytes)
        }
    }
}
