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
}
