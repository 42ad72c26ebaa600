import Downstream
import Flow
import HTTPText
import NIOHTTP1
import Settings
import Testing

@testable import Proxy

@Suite struct ClientAddressTests {
    private let clients: ClientAddress

    init() throws {
        clients = ClientAddress(
            trusted: try ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"].map { try #require(AddressBlock($0)) })
    }

    private func client(
        _ headers: HTTPHeaders, peer: String = "10.0.0.1",
        by field: Configuration.ForwardedHeader = .xForwardedFor
    ) throws -> String {
        var clients = clients
        clients.believes = field
        return clients.client(of: try request(headers, peer: peer))
    }

    private func request(_ headers: HTTPHeaders, peer: String = "10.0.0.1") throws -> Request {
        try Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers), peer: PeerAddress(peer))
    }

    // MARK: Whom to believe

    @Test func anUntrustedPeerIsTheClientWhateverItSends() throws {
        let headers: HTTPHeaders = ["X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2"]
        #expect(try client(headers, peer: "198.51.100.9") == "198.51.100.9")
    }

    @Test func aTrustedPeerWithoutAFieldIsTheClient() throws {
        #expect(try client([:]) == "10.0.0.1")
        #expect(try client(["X-Forwarded-For": ""]) == "10.0.0.1")
        #expect(try client(["Forwarded": "proto=http;by=10.0.0.9"], by: .forwarded) == "10.0.0.1")
    }

    @Test func aTrustedPeerIsBelieved() throws {
        #expect(try client(["X-Forwarded-For": "203.0.113.1"]) == "203.0.113.1")
        #expect(try client(["Forwarded": "for=203.0.113.1"], by: .forwarded) == "203.0.113.1")
    }

    /// The entries to the left of the address that the last trusted proxy saw may be invented by the client.
    @Test func spoofedEntriesAtTheLeftAreNotBelieved() throws {
        #expect(try client(["X-Forwarded-For": "127.0.0.1, 10.0.0.7, 203.0.113.1"]) == "203.0.113.1")
        #expect(try client(["X-Forwarded-For": "192.0.2.66, 203.0.113.1, 10.0.0.7"]) == "203.0.113.1")
        #expect(
            try client(["Forwarded": "for=192.0.2.66, for=203.0.113.1;proto=http, for=10.0.0.7"], by: .forwarded)
                == "203.0.113.1")
    }

    @Test func severalFieldsAreOneChain() throws {
        let headers = HTTPHeaders([
            ("X-Forwarded-For", "192.0.2.66"), ("x-forwarded-for", "203.0.113.1"), ("X-Forwarded-For", "10.0.0.7"),
        ])
        #expect(try client(headers) == "203.0.113.1")
    }

    @Test func aChainOfTrustedProxiesAloneEndsAtItsFirst() throws {
        #expect(try client(["X-Forwarded-For": "10.0.0.5, 10.0.0.6"]) == "10.0.0.5")
    }

    /// A field that a trusted proxy does not set may be passed on as the client wrote it.
    @Test func onlyTheFieldThatTrustedProxiesSetIsBelieved() throws {
        let headers: HTTPHeaders = ["X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.2"]
        #expect(try client(headers) == "203.0.113.1")
        #expect(try client(headers, by: .forwarded) == "203.0.113.2")
        #expect(try client(["Forwarded": "for=203.0.113.2"]) == "10.0.0.1")
        #expect(try client(["X-Forwarded-For": "203.0.113.2"], by: .forwarded) == "10.0.0.1")
    }

    @Test func thePeerOfAUnixSocketIsTrusted() throws {
        #expect(try client(["X-Forwarded-For": "203.0.113.1"], peer: "") == "203.0.113.1")
        #expect(try client([:], peer: "") == "")
    }

    @Test func anIPv4PeerOfAnIPv6ListenerIsTrustedAsWhatItIs() throws {
        #expect(try client(["X-Forwarded-For": "203.0.113.1"], peer: "::ffff:10.0.0.1") == "203.0.113.1")
    }

    // MARK: How addresses are written (RFC 7239, section 6)

    @Test(arguments: [
        ("for=\"[2001:db9::1]:4711\"", "2001:db9::1"), ("for=\"[2001:DB9:0:0::1]\"", "2001:db9::1"),
        ("for=203.0.113.1:4711", "203.0.113.1"), ("for=\"203.0.113.1:4711\"", "203.0.113.1"),
        ("For=203.0.113.1", "203.0.113.1"), ("proto=https;for=203.0.113.1;by=10.0.0.1", "203.0.113.1"),
        ("proto=https; for=203.0.113.1 ; by=10.0.0.1", "203.0.113.1"),
    ]) func forwardedIsReadInAllItsForms(element: String, address: String) throws {
        #expect(try client(["Forwarded": element], by: .forwarded) == address)
    }

    @Test(arguments: [
        ("203.0.113.1", "203.0.113.1"), ("203.0.113.1:4711", "203.0.113.1"), ("2001:db9::1", "2001:db9::1"),
        ("[2001:db9::1]", "2001:db9::1"), ("[2001:db9::1]:4711", "2001:db9::1"), ("\t203.0.113.1 ", "203.0.113.1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
    ]) func xForwardedForIsReadInAllItsForms(element: String, address: String) throws {
        #expect(try client(["X-Forwarded-For": element]) == address)
    }

    /// A separator in quotes is none, and what follows an open quote is ignored.
    @Test(arguments: [
        "for=203.0.113.1;host=\"a,for=192.0.2.66\"", "for=203.0.113.1;host=\"a,for=192.0.2.66;x=\"",
        "for=203.0.113.1;host=\"a\\\", for=192.0.2.66;x=\"", "for=203.0.113.1;x=\";for=192.0.2.66\"",
    ]) func quotedTextIsNoElement(value: String) throws {
        #expect(try client(["Forwarded": value], by: .forwarded) == "203.0.113.1")
    }

    @Test(arguments: [
        "for=192.0.2.66;x=\"", "for=\"192.0.2.66", "for=192.0.2.66, for=\"a", "for=192.0.2.66;a b=c", "192.0.2.66",
    ])
    func aMalformedElementIsIgnored(value: String) throws {
        #expect(try client(["Forwarded": value], by: .forwarded) == "10.0.0.1")
    }

    /// After a name that is no address no client can be found: the last known one is the client.
    @Test(arguments: ["unknown", "_hidden", "example.com", "1.2.3", "[2001:db9::1", "for", "%", "203.0.113.1.5"])
    func aNameThatIsNoAddressEndsTheChain(name: String) throws {
        #expect(try client(["X-Forwarded-For": "203.0.113.1, \(name), 10.0.0.7"]) == "10.0.0.7")
        #expect(try client(["X-Forwarded-For": name]) == "10.0.0.1")
        #expect(
            try client(["Forwarded": "for=203.0.113.1, for=\"\(name)\", for=10.0.0.7"], by: .forwarded) == "10.0.0.7")
    }

    // MARK: The key

    private func key(_ headers: HTTPHeaders, address: String = "192.0.2.1", by key: Route.ClientKey) throws -> ClientKey
    {
        try clients.key(of: try request(headers), address: address, by: key)
    }

    @Test func theKeyIsTheAddressOrTheHeader() throws {
        #expect(try key(["X-Api-Key": "secret"], by: .address(ipv6Prefix: 64)) == ClientKey("192.0.2.1"))
        #expect(try key(["X-Api-Key": "secret"], by: .header("x-api-key")) == ClientKey("secret"))
        #expect(
            try key(["X-Api-Key": "Secret"], by: .header("x-api-key"))
                != key(["X-Api-Key": "secret"], by: .header("x-api-key")))
    }

    @Test func addressesOfOneNetworkAreOneClient() throws {
        let first = try key([:], address: "2001:db9::1", by: .address(ipv6Prefix: 64))
        #expect(try key([:], address: "2001:db9::ffff:2", by: .address(ipv6Prefix: 64)) == first)
        #expect(try key([:], address: "2001:db9:0:1::1", by: .address(ipv6Prefix: 64)) != first)
        #expect(try key([:], address: "2001:db9:0:1::1", by: .address(ipv6Prefix: 48)) == ClientKey("2001:db9::/48"))
        #expect(try key([:], address: "2001:db9::1", by: .address(ipv6Prefix: 128)) == ClientKey("2001:db9::1"))
    }

    @Test func aKeyThatComesTwiceIsRefused() throws {
        #expect(throws: Problem.repeatedKey("X-Key")) {
            try key(["X-Key": "a", "x-key": "a"], by: .header("X-Key"))
        }
    }

    /// RFC 9110, section 11.4.
    @Test(arguments: ["Bearer abc", "bearer abc", "BEARER   abc", "Bearer\tabc"])
    func oneCredentialIsOneClient(value: String) throws {
        #expect(try key(["authorization": value], by: .header("Authorization")) == ClientKey("bearer abc"))
    }

    @Test(arguments: ["Bearer ABC", "Basic abc", "Bearer", "abc", "Bearer a bc"])
    func otherCredentialsAreOthers(value: String) throws {
        #expect(try key(["authorization": value], by: .header("Authorization")) != ClientKey("bearer abc"))
    }

    @Test func theKeyIsTheCertificateOrWithoutOneTheAddress() throws {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: [:])
        let known = try Request(head: head, peer: PeerAddress("10.0.0.1"), isSecure: true, certificate: "c0ffee")
        #expect(try clients.key(of: known, address: "a", by: .certificate) == ClientKey("c0ffee"))
        #expect(try clients.key(of: known.withHeaders([:]), address: "a", by: .certificate) == ClientKey("c0ffee"))
        #expect(try key([:], address: "2001:db9::1", by: .certificate) == ClientKey("2001:db9::/64"))
    }

    @Test func clientsWithoutAKeyShareOne() throws {
        let first = try key([:], address: "a", by: .header("x-api-key"))
        #expect(try key([:], address: "b", by: .header("x-api-key")) == first)
    }
}
