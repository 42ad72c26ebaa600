import TestSupport
import Testing

@testable import Flow

@Suite struct RefusedKeysTests {
    private func key(_ target: String) throws -> SharingKey {
        try SharingRules(names: []).key(
            of: .init(method: "GET", hasContent: false, isSecure: false, authority: nil, target: target), scope: 0
        ) { _ in [] }
    }

    @Test func aMarkEnds() throws {
        var keys = RefusedKeys(for: .seconds(10), capacity: 2)
        keys.mark(try key("/a"), at: .seconds(0))
        #expect(keys.contains(try key("/a"), at: .seconds(9)) == true)
        #expect(keys.contains(try key("/a"), at: .seconds(10)) == false)
        #expect(keys.contains(try key("/b"), at: .seconds(0)) == false)
    }

    @Test func marksThatHaveEndedAreRemovedByTheNextQuestion() throws {
        var keys = RefusedKeys(for: .seconds(10), capacity: 10)
        for name in ["/a", "/b", "/c"] { keys.mark(try key(name), at: .seconds(0)) }
        #expect(keys.contains(try key("/d"), at: .seconds(9)) == false)
        #expect(keys.count == 3)
        #expect(keys.contains(try key("/d"), at: .seconds(10)) == false)
        #expect(keys.count == 0)
    }

    @Test func everyPartOfAKeyCounts() throws {
        var keys = RefusedKeys(for: .seconds(10), capacity: 2)
        let long = String(repeating: "x", count: 30_000)
        keys.mark(try key("/\(long)a"), at: .seconds(0))
        #expect(keys.contains(try key("/\(long)a"), at: .seconds(1)) == true)
        #expect(keys.contains(try key("/\(long)b"), at: .seconds(1)) == false)
    }

    @Test func marksAreBounded() throws {
        var keys = RefusedKeys(for: .seconds(10), capacity: 2)
        for name in ["/a", "/b", "/c"] { keys.mark(try key(name), at: .seconds(0)) }
        #expect(keys.contains(try key("/a"), at: .seconds(1)) == false)
        #expect(keys.contains(try key("/c"), at: .seconds(1)) == true)
    }
}
