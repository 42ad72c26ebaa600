import Flow
import TestSupport
import Testing

@Suite struct DetachedStreamsTests {
    private var random = SeededGenerator(seed: 3)
    private var streams = DetachedStreams()

    private static func key(_ client: String) -> ResumptionKey? {
        ResumptionKey(
            of: .init(
                route: "/", client: ClientKey(client), isClientProved: true, isSecure: false, authority: nil,
                target: "/")
        ) { _ in [] }
    }

    @Test mutating func theLastOneIsFirstAndOthersOfAnotherKeyAreNotFound() throws {
        let (mine, theirs) = (try #require(Self.key("me")), try #require(Self.key("them")))
        let (first, second) = (StreamId(using: &random), StreamId(using: &random))
        streams.add(first, of: mine)
        streams.add(second, of: mine)
        let (found, others) = (streams.candidates(of: mine), streams.candidates(of: theirs))
        #expect(found == [second, first] && others.isEmpty)
    }

    @Test mutating func nothingIsLeftOfRemovedStreams() throws {
        let key = try #require(Self.key("me")), id = StreamId(using: &random)
        streams.remove(id, of: key)
        streams.add(id, of: key)
        streams.remove(id, of: key)
        streams.remove(id, of: key)
        let found = streams.candidates(of: key)
        #expect(streams.isEmpty && found.isEmpty)
    }

    @Test mutating func theOldestOfTooManyCannotBeFound() throws {
        let key = try #require(Self.key("me"))
        let ids = (0...DetachedStreams.mostPerKey).map { _ in StreamId(using: &random) }
        for id in ids { streams.add(id, of: key) }
        let found = streams.candidates(of: key)
        #expect(found == ids.dropFirst().reversed())
        for id in ids { streams.remove(id, of: key) }
        #expect(streams.isEmpty)
    }

    @Test mutating func aStreamThatManyRequestsWereComparedWithCannotBeFound() throws {
        let key = try #require(Self.key("me"))
        let (old, new) = (StreamId(using: &random), StreamId(using: &random))
        streams.add(old, of: key)
        _ = streams.candidates(of: key)
        streams.add(new, of: key)
        let found = (1...DetachedStreams.mostComparisons).map { _ in streams.candidates(of: key) }
        #expect(found.dropLast().allSatisfy { $0 == [new, old] } && found.last == [new] && streams.isEmpty)
    }
}
