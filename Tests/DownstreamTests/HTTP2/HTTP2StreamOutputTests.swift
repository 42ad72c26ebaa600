import NIOCore
import NIOHTTP1
import Testing

@testable import Downstream

@Suite struct HTTP2StreamOutputTests {
    /// One that `#expect` can change.
    private final class Tap {
        let buffers = HTTP2Buffers()
        var output = HTTP2StreamOutput()

        /// One whose head was written and sent.
        static func open(_ body: ResponseBodyLength = .unknown) -> Tap {
            let tap = Tap()
            tap.output.begin(body, isHead: false)
            tap.output.partSent(endsStream: false)
            return tap
        }

        @discardableResult func write(_ count: Int) -> Bool {
            [UInt8](repeating: 0x78, count: count).withUnsafeBytes { output.write($0, in: buffers) }
        }

        /// Moves bytes into a frame, and returns their number.
        @discardableResult func move(_ count: Int) -> Int {
            var frames = ByteBuffer()
            _ = output.move(count, to: &frames, from: buffers)
            return frames.readableBytes
        }

        func nextPiece(upTo limit: Int = 16384) -> HTTP2Piece { output.nextPiece(upTo: limit) }
        func takesResumption() -> Bool { output.takeResumption() }
        func settle(isWritable: Bool = true) -> HTTP2StreamOutput.Settlement {
            output.settle(isWritable: isWritable, in: buffers)
        }
        func close() -> HTTP2StreamOutput.Close { output.closed() }
        func breakOff() -> Bool { output.breakOff() }
    }

    // MARK: Frames

    @Test func aBodyIsFramedAsFarAsTheFrameAllows() {
        let tap = Tap.open()
        tap.write(10)
        #expect(tap.nextPiece(upTo: 8) == .bytes(8))
        #expect(tap.move(8) == 8)
        #expect(tap.nextPiece(upTo: 8) == .bytes(2))
        tap.output.end(trailers: nil)
        #expect(tap.nextPiece(upTo: 8) == .last(2))
    }

    @Test func trailersFollowTheLastBytes() {
        let tap = Tap.open()
        tap.write(2)
        tap.output.end(trailers: ["a": "b"])
        #expect(tap.nextPiece(upTo: 1) == .bytes(1))
        #expect(tap.nextPiece() == .lastBeforeTrailers(2))
    }

    @Test func theSessionIsResumedOnceForWhatFollows() {
        let tap = Tap.open()
        #expect(tap.nextPiece() == .none)
        #expect(!tap.takesResumption(), "there is nothing to send")
        tap.write(1)
        #expect(tap.takesResumption() && !tap.takesResumption())
        tap.move(1)
        #expect(tap.nextPiece() == .none)
        tap.output.end(trailers: nil)
        #expect(tap.takesResumption() && tap.nextPiece() == .last(0))
    }

    @Test func whatWasWrittenPrecedesABreak() {
        let tap = Tap.open()
        tap.write(2)
        #expect(!tap.breakOff())
        #expect(tap.nextPiece() == .bytes(2))
        tap.move(2)
        #expect(tap.nextPiece() == .broken)
    }

    @Test func aBreakWithoutABodyResetsAtOnce() {
        #expect(Tap().breakOff())
        #expect(Tap.open(.none).breakOff())
    }

    @Test func anAbortDropsWhatWasWritten() {
        let tap = Tap.open()
        tap.write(2)
        tap.output.abort()
        #expect(tap.nextPiece() == .broken && tap.output.hasEnded && tap.output.canReset)
    }

    @Test func onlyAnOpenResponseWithABodyIsWritten() {
        #expect(!Tap().write(1))
        #expect(!Tap.open(.none).write(1))
        #expect(!Tap.open().write(0))
        let head = Tap()
        head.output.begin(.unknown, isHead: true)
        #expect(!head.write(1) && !head.output.hasBody && !head.output.canSendTrailers(toHead: true))
        let ended = Tap.open()
        ended.output.end(trailers: nil)
        #expect(!ended.write(1))
    }

    // MARK: Room

    @Test func thereIsRoomForABatch() {
        let tap = Tap.open()
        #expect(tap.output.room(isWritable: true) == BatchSize.maximum)
        #expect(tap.output.room(isWritable: false) == nil)
        tap.write(BatchSize.maximum - BatchSize.largestPiece)
        #expect(tap.output.room(isWritable: false) == BatchSize.largestPiece)
        tap.write(1)
        #expect(tap.output.room(isWritable: true) == nil)
    }

    @Test func memoryOfABatchIsNotKeptForAFewBytes() {
        let tap = Tap.open()
        tap.write(60_000)
        tap.move(59_000)
        #expect(tap.settle() == .blocked(onSocket: false, isNew: true))
        #expect(tap.buffers.takeBatch().capacity >= 60_000, "the loop has it back")
        #expect(tap.move(1000) == 1000)
    }

    // MARK: The end of a turn

    @Test func beforeTheHeadNothingIsReported() {
        #expect(Tap().settle() == .nothing && Tap().settle(isWritable: false) == .nothing)
    }

    @Test func aClosedWindowIsReportedOnceUntilTheClientHasCaughtUp() {
        let tap = Tap.open()
        tap.write(2)
        #expect(tap.settle() == .blocked(onSocket: false, isNew: true))
        #expect(tap.settle() == .blocked(onSocket: false, isNew: false))
        #expect(tap.output.isBlocked && tap.output.blockedBytes == 2)
        tap.move(2)
        #expect(tap.settle() == .caughtUp && !tap.output.isBlocked)
        tap.write(2)
        #expect(tap.settle() == .blocked(onSocket: false, isNew: true))
    }

    @Test func aFullSocketIsWaitedFor() {
        let tap = Tap.open()
        tap.write(2)
        tap.move(2)
        #expect(tap.settle(isWritable: false) == .blocked(onSocket: true, isNew: true))
        #expect(tap.settle() == .caughtUp)
    }

    @Test func aResponseThatFoundNoRoomIsReported() {
        let tap = Tap.open()
        tap.output.blocked()
        #expect(tap.output.isBlocked)
        #expect(tap.settle(isWritable: false) == .blocked(onSocket: true, isNew: true))
    }

    @Test func theEndIsTakenWithTheSocket() {
        let tap = Tap.open()
        tap.output.end(trailers: nil)
        #expect(tap.settle() == .blocked(onSocket: false, isNew: true), "it is not sent")
        tap.output.partSent(endsStream: true)
        #expect(tap.settle(isWritable: false) == .blocked(onSocket: true, isNew: false))
        #expect(tap.settle() == .finished)
    }

    // MARK: The session closes the stream

    @Test func aCloseBeforeTheHeadDiffersFromALaterOne() {
        #expect(Tap().close() == .failed(beforeHead: true))
        let tap = Tap.open()
        #expect(tap.close() == .failed(beforeHead: false) && !tap.output.canReset)
    }

    @Test func aCloseAfterTheEndMeansNothing() {
        let tap = Tap.open()
        tap.output.end(trailers: nil)
        tap.output.partSent(endsStream: true)
        #expect(tap.close() == .nothing && tap.settle() == .finished)
        let aborted = Tap.open()
        aborted.output.abort()
        #expect(aborted.close() == .nothing)
    }

    @Test func aBreakEndsWithTheReset() {
        let tap = Tap.open()
        _ = tap.breakOff()
        #expect(tap.settle() == .blocked(onSocket: false, isNew: true))
        #expect(tap.close() == .finished && tap.settle() == .finished)
    }
}
