import Testing

@testable import Proxy

@Suite struct RandomPoolTests {
    @Test func noNumberComesTwice() {
        var pool = RandomPool()
        let drawn = (0..<1000).map { _ in pool.next() }
        #expect(Set(drawn).count == 1000)
    }

    @Test func everyBitIsDrawn() {
        var pool = RandomPool()
        let drawn = (0..<200).map { _ in pool.next() }
        #expect(drawn.reduce(0, |) == .max && drawn.reduce(.max, &) == 0)
    }
}
