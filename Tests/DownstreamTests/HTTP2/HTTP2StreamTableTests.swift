import NIOCore
import NIOEmbedded
import Testing

@testable import Downstream

@Suite struct HTTP2StreamTableTests {
    /// One that `#expect` can change; its streams are of a real connection.
    private final class Tap {
        var table = HTTP2StreamTable()
        private let client: EmbeddedHTTP2
        private let connection: HTTP2Connection

        init() throws {
            client = try EmbeddedHTTP2()
            try client.begin()
            connection = try client.connection.channel.pipeline.syncOperations.handler(type: HTTP2Connection.self)
        }

        func stream(_ id: Int32) -> HTTP2Stream { HTTP2Stream(id, of: connection) }

        /// A stream that was added.
        func add(_ id: Int32) -> HTTP2Stream {
            let stream = stream(id)
            table.add(stream)
            return stream
        }

        func removes(_ stream: HTTP2Stream) -> Bool { table.remove(stream) }
        func finished() -> [Int32] { table.takeFinished().map(\.id) }
        func blocked() -> [Int32] { table.takeBlocked().map(\.id) }
        func visit() -> [Int32] { table.beginVisit().map(\.id) }
    }

    private let tap: Tap

    init() throws { tap = try Tap() }

    @Test func aStreamIsFoundUntilItIsRemoved() {
        let stream = tap.add(1)
        #expect(tap.table[1] === stream && tap.table[3] == nil && !tap.table.isEmpty)
        #expect(tap.removes(stream) && !tap.removes(stream))
        #expect(tap.table[1] == nil && tap.table.isEmpty)
    }

    /// A handler that answers may cause another request to arrive.
    @Test func requestsAreDispatchedInOrderAndThoseThatArriveMeanwhile() {
        let first = tap.add(1)
        #expect(tap.table.arrived(at: 0) === first)
        let second = tap.add(3)
        #expect(tap.table.arrived(at: 1) === second && tap.table.arrived(at: 2) == nil)
        tap.table.dispatched()
        #expect(tap.table.arrived(at: 0) == nil)
    }

    @Test func eachListIsTakenOnce() {
        for id in [1, 3] as [Int32] {
            let stream = tap.add(id)
            tap.table.finish(stream)
            tap.table.block(stream)
        }
        #expect(tap.finished() == [1, 3] && tap.finished().isEmpty)
        #expect(tap.blocked() == [1, 3] && tap.blocked().isEmpty)
    }

    @Test func whatIsStagedDuringAVisitIsForTheNext() {
        let stream = tap.add(1), other = tap.add(3)
        tap.table.stage(stream)
        #expect(tap.visit() == [1])
        tap.table.stage(other)
        tap.table.endVisit()
        #expect(tap.table.staged.map(\.id) == [3] && tap.visit() == [3])
    }

    @Test func theSocketIsMeteredIfEveryStreamIs() {
        #expect(tap.table.isMetered)
        let stream = tap.add(1)
        #expect(!tap.table.isMetered)
        stream.expectPace(true)
        tap.table.paceChanged(of: stream)
        #expect(tap.table.isMetered)
        let other = tap.add(3)
        #expect(!tap.table.isMetered && tap.removes(other) && tap.table.isMetered)
        #expect(tap.removes(stream) && tap.table.isMetered)
    }

    @Test func aClosedConnectionHasStreamsToEndAndNothingElse() {
        let stream = tap.add(1)
        tap.table.receiving = tap.stream(3)
        tap.table.finish(stream)
        tap.table.stage(stream)
        tap.table.block(stream)
        tap.table.closed()
        #expect(tap.table.all.map(\.id) == [1] && tap.table.arrived(at: 0) == nil && tap.table.receiving == nil)
        #expect(tap.finished().isEmpty && tap.blocked().isEmpty && tap.visit().isEmpty)
    }
}
