import Flow
import TestSupport
import Testing

@Suite struct KeptBodyTests {
    @Test(arguments: 1...7) func whatWasTakenIsSentAgain(room: Int) {
        var body = KeptBody(upTo: 7)
        body.took("abc")
        body.took("defg")
        let isRewound = body.rewind()
        #expect(isRewound && !body.isReplayed && body.replayed(room: room) == "abcdefg")
        #expect(body.isReplayed && body.isWhole && body.taken == 7)
    }

    @Test func aFurtherAttemptMayBeginInTheMiddleOfOne() {
        var body = KeptBody(upTo: 10)
        body.took("abcdef")
        _ = body.rewind()
        var target: [UInt8] = [0, 0]
        #expect(target.withUnsafeMutableBytes { body.replay(into: $0) } == 2)
        let isRewound = body.rewind()
        #expect(isRewound && body.replayed(room: 4) == "abcdef")
        body.took("g")
        _ = body.rewind()
        #expect(body.replayed(room: 4) == "abcdefg")
    }

    @Test func aLongerBodyIsNotKept() {
        var body = KeptBody(upTo: 5)
        body.took("abcde")
        #expect(body.isWhole && body.memory >= 5)
        body.took("f")
        let isRewound = body.rewind()
        #expect(!isRewound && !body.isWhole && body.memory == 0 && body.taken == 6)
        #expect(body.isReplayed && body.replayed(room: 4).isEmpty)
        body.took("g")
        #expect(body.memory == 0)
    }

    @Test(arguments: [0, 10]) func nothingIsKeptOnceThereIsNoFurtherAttempt(limit: Int) {
        var body = KeptBody(upTo: limit)
        #expect(body.isWhole)
        body.forget()
        body.took("a")
        #expect(!body.isWhole && body.memory == 0)
    }

    @Test func whatTheLastAttemptHasNotGotIsNotForgotten() {
        var body = KeptBody(upTo: 100)
        body.took("abcdef")
        _ = body.rewind()
        var target = [UInt8](repeating: 0, count: 2)
        let begun = target.withUnsafeMutableBytes { body.replay(into: $0) }
        body.forget()
        let mayRewind = body.rewind()
        #expect(begun == 2 && !mayRewind && !body.isReplayed && !body.isWhole)
        let rest = body.replayed(room: 3)
        #expect(rest == "cdef")
        #expect(body.isReplayed && body.memory == 0)
        body.took("gh")
        #expect(body.memory == 0 && !body.isWhole)
    }

    @Test func whatIsDroppedIsGoneAtOnce() {
        var body = KeptBody(upTo: 100)
        body.took("abcdef")
        _ = body.rewind()
        body.drop()
        let rest = body.replayed(room: 3)
        #expect(rest.isEmpty && body.memory == 0 && !body.isWhole)
    }

    @Test func itsMemoryIsBounded() {
        var random = SeededGenerator(seed: 1)
        let limit = 100_000
        var body = KeptBody(upTo: limit)
        var largest = 0
        while body.taken <= limit {
            body.took(String(repeating: "x", count: Int.random(in: 1...9000, using: &random)))
            largest = max(largest, body.memory)
        }
        // What the allocator rounds up to.
        #expect(largest <= limit + limit / 4 && body.memory == 0)
    }
}

extension KeptBody {
    fileprivate mutating func took(_ text: String) { Array(text.utf8).withUnsafeBytes { took($0) } }

    /// What is kept, in pieces of at most `room` bytes.
    fileprivate mutating func replayed(room: Int) -> String { replayedText(room: room) { replay(into: $0) } }
}
