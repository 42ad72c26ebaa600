import Testing

@testable import Proxy

@Suite struct SlotWheelTests {
    private final class Item {}

    private func round(_ wheel: inout SlotWheel<Item>) -> [[Item]] {
        (0..<SlotWheel<Item>.slots).map { _ in wheel.turn() }
    }

    @Test func aRoundYieldsEachOnce() {
        var wheel = SlotWheel<Item>()
        let items = (0..<1000).map { _ in Item() }
        for item in items { wheel.add(item) }
        wheel.add(items[0])
        for _ in 0..<2 {
            let seen = round(&wheel).joined().map { ObjectIdentifier($0) }
            #expect(seen.count == items.count)
            #expect(Set(seen) == Set(items.map { ObjectIdentifier($0) }))
        }
    }

    @Test func whatIsTakenOutIsNotYielded() {
        var wheel = SlotWheel<Item>()
        let (kept, gone) = (Item(), Item())
        wheel.add(kept)
        wheel.add(gone)
        wheel.remove(gone)
        wheel.remove(gone)
        #expect(round(&wheel).joined().map { ObjectIdentifier($0) } == [ObjectIdentifier(kept)])
        #expect(!wheel.isEmpty)
        wheel.remove(kept)
        #expect(wheel.isEmpty)
    }

    @Test func thoseThatComeTogetherAreSpread() {
        var wheel = SlotWheel<Item>()
        let items = (0..<12_800).map { _ in Item() }
        for item in items { wheel.add(item) }
        // A hundred each, if the spread were perfect.
        #expect(round(&wheel).allSatisfy { $0.count < 400 })
    }
}
