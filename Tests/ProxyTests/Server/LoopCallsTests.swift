import Testing

@testable import Proxy

@Suite struct LoopCallsTests {
    private let calls = LoopCalls()

    @Test func aCallReturnsItsResult() async {
        #expect(await calls.make { 7 } == 7)
    }

    @Test func noneBeginsAfterTheClose() async {
        await calls.close()
        #expect(await calls.make { 7 } == nil)
    }

    @Test func theCloseWaitsForAllThatRun() async {
        let (ends, end) = AsyncStream<Void>.makeStream()
        let (begins, begin) = AsyncStream<Void>.makeStream()
        let running = (0..<2).map { number in
            Task {
                await calls.make {
                    begin.yield()
                    for await _ in ends { break }
                    return number
                }
            }
        }
        var begun = begins.makeAsyncIterator()
        for _ in running { await begun.next() }
        let closing = Task { await calls.close() }
        // It has closed once a call does not begin.
        while await calls.make({}) != nil { await Task.yield() }
        for _ in running { end.yield() }
        await closing.value
        #expect(await running[0].value == 0)
        #expect(await running[1].value == 1)
    }
}
