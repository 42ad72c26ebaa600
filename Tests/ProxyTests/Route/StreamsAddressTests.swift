import Flow
import Testing

@testable import Proxy

@Suite struct StreamsAddressTests {
    private let address = StreamsAddress(path: "/v1/streams")
    private let text = "00112233445566778899aabbccddeeff"

    @Test func aStreamHasAnAddressAndOneForFeedback() throws {
        let id = try #require(StreamId(text))
        #expect(address.target(of: "/v1/streams/\(text)") == .stream(id))
        #expect(address.target(of: "/v1/streams/\(text)/feedback") == .feedback(id))
        #expect(address.location(of: id) == "/v1/streams/\(text)")
    }

    @Test(arguments: ["", "/", "/00", "/00112233445566778899AABBCCDDEEFF", "/\u{0}", "//feedback"])
    func nothingElseBelowIsAnAddress(rest: String) {
        #expect(address.target(of: "/v1/streams\(rest)") == .nothing)
    }

    @Test(arguments: ["/other", "/feedback/", "/"]) func aStreamHasNoOtherAddresses(rest: String) {
        #expect(address.target(of: "/v1/streams/\(text)\(rest)") == .nothing)
    }

    @Test(arguments: ["/", "/v1", "/v1/streams2", "/v1/streamsx/y", "/V1/streams"])
    func otherPathsBelongToTheRoutes(path: Substring) {
        #expect(address.target(of: path) == nil)
    }
}
