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
        #expect(streams.streams(of: mine) == [second, first] && streams.streams(of: theirs).isEmpty)
    }

    @Test mutating func nothingIsLeftOfRemovedStreams() throws {
        let key = try #require(Self.key("me")), id = StreamId(using: &random)
        streams.remove(id, of: key)
        streams.add(id, of: key)
        streams.remove(id, of: key)
        streams.remove(id, of: key)
        #expect(streams.isEmpty && streams.streams(of: key).isEmpty)
    }

    @Test mutating func theOldestOfTooManyCannotBeFound() throws {
        let key = try #require(Self.key("me"))
        let ids = (0...DetachedStreams.mostPerKey).map { _ in StreamId(using: &random) }
        for id in ids { streams.add(id, of: key) }
        #expect(streams.streams(of: key) == ids.dropFirst().reversed())
        for id in ids { streams.remove(id, of: key) }
        #expect(streams.isEmpty)
    }
}
