import NIOCore
import NIOEmbedded
import Testing

@testable import Proxy

@Suite struct LoopRosterTests {
    private let loop = EmbeddedEventLoop()

    @Test func anAnswerInTimeIsPassedOn() throws {
        let promise = loop.makePromise(of: Int.self)
        let bounded = promise.futureResult.within(.seconds(2), on: loop)
        loop.advanceTime(by: .milliseconds(1999))
        promise.succeed(7)
        #expect(try bounded.wait() == 7)
    }

    @Test func aLoopThatDoesNotAnswerIsNotWaitedFor() {
        let promise = loop.makePromise(of: Int.self)
        let bounded = promise.futureResult.within(.seconds(2), on: loop)
        loop.advanceTime(by: .seconds(2))
        #expect(throws: LoopSilent.self) { try bounded.wait() }
        // Too late: ignored.
        promise.succeed(7)
    }

    @Test func aFailureIsPassedOn() {
        let promise = loop.makePromise(of: Int.self)
        let bounded = promise.futureResult.within(.seconds(2), on: loop)
        promise.fail(EventLoopError.shutdown)
        #expect(throws: EventLoopError.shutdown) { try bounded.wait() }
    }

    @Test func theSumOverAllMembersIsReturned() throws {
        let roster = LoopRoster<Int>()
        for member in 1...3 { roster.add(NIOLoopBound(member, eventLoop: loop)) }
        let sum = roster.join(into: 0, on: loop, { $0 }, +=)
        loop.run()
        #expect(try sum.wait() == 6)
    }

    @Test func afterTheCloseNoLoopIsCalled() {
        let roster = LoopRoster<Int>()
        roster.add(NIOLoopBound(1, eventLoop: loop))
        roster.close()
        let sum = roster.join(into: 0, on: loop, { $0 }, +=)
        #expect(throws: LoopSilent.self) { try sum.wait() }
    }
}
