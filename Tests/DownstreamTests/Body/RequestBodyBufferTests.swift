import Flow
import NIOCore
import Testing

@testable import Downstream

@Suite struct RequestBodyBufferTests {
    private static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0x78, count: count) }

    private static func streaming(upTo limit: Int = .max, declaredLength: Int? = nil) -> RequestBodyBuffer {
        var buffer = RequestBodyBuffer(.unclaimed, declaredLength: declaredLength)
        buffer.stream(upTo: limit)
        return buffer
    }

    private func take(_ count: Int, from buffer: inout RequestBodyBuffer) -> RequestBodyBuffer.Piece {
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { buffer.take(into: $0) }
    }

    // MARK: Unclaimed

    @Test func readingStopsUntilTheBodyIsClaimed() {
        var buffer = RequestBodyBuffer(.unclaimed)
        let arrival = buffer.arrived(Self.bytes(4))
        #expect(arrival == .stopsReading && !buffer.isEmpty && !buffer.isWanted && !buffer.isWhole)
        buffer.ended()
        #expect(buffer.isWhole)
    }

    @Test func noBodyIsWholeFromTheStart() {
        var none = RequestBodyBuffer(.none)
        #expect(none.isWhole && !none.isWanted)
        let piece = take(1, from: &none)
        #expect(piece == .end)
    }

    // MARK: As a whole

    @Test func aBodyWithinTheLimitIsCollected() {
        var buffer = RequestBodyBuffer(.unclaimed)
        _ = buffer.arrived(Self.bytes(4))
        let fits = buffer.collect(upTo: 8, length: 8)
        let arrival = buffer.arrived(Self.bytes(4))
        #expect(fits && arrival == .nothing && buffer.isWanted && !buffer.isWhole)
        buffer.ended()
        let whole = buffer.finish(.read)
        #expect(whole.readableBytes == 8 && buffer.isWhole && buffer.isEmpty && !buffer.isWanted)
    }

    @Test(arguments: [(9, nil), (0, 9)] as [(Int, Int?)])
    func aBodyThatHasOrDeclaresMoreIsTooLarge(arrived: Int, length: Int?) {
        var buffer = RequestBodyBuffer(.unclaimed)
        _ = buffer.arrived(Self.bytes(arrived))
        let fits = buffer.collect(upTo: 8, length: length)
        #expect(!fits)
    }

    @Test func aBodyThatOutgrowsTheLimitIsTooLarge() {
        var buffer = RequestBodyBuffer(.unclaimed)
        _ = buffer.collect(upTo: 8, length: nil)
        let arrivals = [buffer.arrived(Self.bytes(8)), buffer.arrived(Self.bytes(1))]
        #expect(arrivals == [.nothing, .fails(.tooLarge(limit: ByteCount(8)))])
    }

    // MARK: In pieces

    @Test func bytesAreTakenInOrderUntilTheEnd() {
        var buffer = Self.streaming()
        _ = buffer.arrived(Self.bytes(5))
        let pieces = [take(3, from: &buffer), take(3, from: &buffer), take(3, from: &buffer)]
        #expect(
            pieces == [
                .bytes(3, resumesReading: true), .bytes(2, resumesReading: true), .nothing(isFirst: false),
            ])
        buffer.ended()
        let end = take(3, from: &buffer)
        #expect(end == .end && !buffer.isWanted && buffer.isWhole)
    }

    @Test func readingStopsAtTheCapacityAndResumesAtHalfOfIt() {
        var buffer = Self.streaming()
        let half = RequestBodyBuffer.capacity / 2
        let arrivals = [
            buffer.arrived(Self.bytes(half)), buffer.arrived(Self.bytes(half - 1)), buffer.arrived(Self.bytes(1)),
        ]
        #expect(arrivals == [.extendsDeadline, .extendsDeadline, .stopsReading])
        let pieces = [take(half - 1, from: &buffer), take(1, from: &buffer)]
        #expect(pieces == [.bytes(half - 1, resumesReading: false), .bytes(1, resumesReading: true)])
    }

    /// More arrives only from a socket whose client has closed it.
    @Test func whatArrivesWithoutReadingIsBounded() {
        var buffer = Self.streaming()
        let arrivals = [
            buffer.arrived(Self.bytes(RequestBodyBuffer.maximum)), buffer.arrived(Self.bytes(1)),
        ]
        #expect(arrivals == [.stopsReading, .fails(.brokenOff)])
    }

    @Test func theLimitCountsWhatWasTaken() {
        var buffer = Self.streaming(upTo: 8)
        _ = buffer.arrived(Self.bytes(8))
        _ = take(8, from: &buffer)
        let arrival = buffer.arrived(Self.bytes(1))
        #expect(arrival == .fails(.tooLarge(limit: ByteCount(8))))
    }

    @Test func aNotificationFollowsARequestThatHadNothing() {
        var buffer = Self.streaming()
        let unrequested = buffer.takeNotification()
        let nothing = take(1, from: &buffer)
        _ = buffer.arrived(Self.bytes(1))
        let notifications = [buffer.takeNotification(), buffer.takeNotification()]
        #expect(!unrequested && nothing == .nothing(isFirst: true) && notifications == [true, false])
    }

    /// RFC 9113, section 8.1.1: only the end of the stream shows that the request is well-formed.
    @Test func theLastDeclaredBytesAreWithheldUntilTheEnd() {
        var buffer = Self.streaming(declaredLength: 4)
        _ = take(4, from: &buffer)
        _ = buffer.arrived(Self.bytes(4))
        let early = buffer.takeNotification()
        let withheld = take(4, from: &buffer)
        #expect(!early && withheld == .nothing(isFirst: false))
        buffer.ended()
        let notified = buffer.takeNotification()
        let piece = take(4, from: &buffer)
        #expect(notified && piece == .bytes(4, resumesReading: true))
    }

    /// Otherwise no deadline would apply to the end.
    @Test func readingContinuesForTheEndThatConfirmsABody() {
        var buffer = Self.streaming(declaredLength: RequestBodyBuffer.capacity)
        let arrival = buffer.arrived(Self.bytes(RequestBodyBuffer.capacity))
        #expect(arrival == .extendsDeadline)
    }

    @Test(arguments: [RequestBodyBuffer.State.read, .dropped]) func afterItsEndNothingIsKept(
        end: RequestBodyBuffer.State
    ) {
        var buffer = Self.streaming()
        _ = buffer.arrived(Self.bytes(4))
        buffer.finish(end)
        let arrival = buffer.arrived(Self.bytes(4))
        #expect(arrival == .nothing && buffer.isEmpty && buffer.isWhole == (end == .read))
        let piece = take(1, from: &buffer)
        #expect(piece == (end == .read ? .end : .unavailable))
    }
}
