import Downstream
import HTTPText
import NIOHTTP1
import Settings
import Testing
import Upstream

@testable import Proxy

@Suite struct ForwardingTests {
    private static let fields = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"]

    /// The fields in the order of `fields`, each at most once, as the upstream gets them.
    private func forwarded(
        _ headers: HTTPHeaders = ["Host": "shop.example"], peer: String = "10.0.0.1",
        by believes: Configuration.ForwardedHeader = .xForwardedFor, overTLS isSecure: Bool = false
    ) throws -> [String] {
        let clients = ClientAddress(trusted: [try #require(AddressBlock("10.0.0.0/8"))], believes: believes)
        let request = try Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers), peer: PeerAddress(peer),
            isSecure: isSecure)
        var list = HeaderList()
        list.begin(host: "shop.example")
        Forwarding(clients: clients, pseudonym: nil).addFields(
            of: request, client: clients.client(of: request), to: &list)
        let sent = HTTPHeaders(list)
        #expect(!sent.contains(name: "via"))
        return Self.fields.map { name in
            #expect(sent[name].count <= 1)
            return sent.first(name: name) ?? "-"
        }
    }

    private let forged: HTTPHeaders = [
        "Host": "shop.example", "X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example", "Forwarded": "for=192.0.2.66;proto=https",
    ]

    @Test func forwardingFieldsOfAClientAreReplaced() throws {
        let own = ["198.51.100.9", "http", "shop.example", "for=198.51.100.9;host=\"shop.example\";proto=http"]
        #expect(try forwarded(peer: "198.51.100.9") == own)
        #expect(try forwarded(forged, peer: "198.51.100.9") == own)
        #expect(try forwarded(forged, peer: "198.51.100.9", by: .forwarded) == own)
    }

    @Test func theSchemeIsThatOfTheConnectionUnlessATrustedPeerSendsOne() throws {
        let stranger = try forwarded(["Host": "a", "X-Forwarded-Proto": "http"], peer: "198.51.100.9", overTLS: true)
        #expect(stranger[1] == "https" && stranger[3].hasSuffix("proto=https"))
        #expect(try forwarded(["Host": "a"], overTLS: true)[1] == "https")
        #expect(try forwarded(["Host": "a", "X-Forwarded-Proto": "http"], overTLS: true)[1] == "http")
        #expect(try forwarded(["Host": "a"], by: .forwarded, overTLS: true)[1] == "https")
    }

    @Test func theChainOfATrustedProxyIsContinued() throws {
        let headers = HTTPHeaders([
            ("Host", "inner"), ("X-Forwarded-For", "192.0.2.66, 203.0.113.1"), ("X-Forwarded-For", "10.0.0.7"),
            ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"),
        ])
        #expect(
            try forwarded(headers) == [
                "192.0.2.66, 203.0.113.1, 10.0.0.7, 10.0.0.1", "https", "shop.example",
                "for=203.0.113.1;host=\"shop.example\";proto=https, for=10.0.0.1",
            ])
    }

    @Test func theElementsOfATrustedProxyAreContinued() throws {
        let headers: HTTPHeaders = ["Host": "inner", "Forwarded": "for=203.0.113.1;proto=https;host=\"shop.example\""]
        #expect(
            try forwarded(headers, by: .forwarded) == [
                "203.0.113.1, 10.0.0.1", "https", "shop.example",
                "for=203.0.113.1;proto=https;host=\"shop.example\", for=10.0.0.1",
            ])
    }

    /// A proxy that knows one kind of field passes the other on as the client wrote it.
    @Test func theFieldThatIsNotBelievedIsMadeAnew() throws {
        var headers: HTTPHeaders = ["Host": "a", "X-Forwarded-For": "203.0.113.1", "Forwarded": "for=192.0.2.66"]
        #expect(try forwarded(headers)[3] == "for=203.0.113.1;host=\"a\";proto=http, for=10.0.0.1")
        headers = forged
        headers.replaceOrAdd(name: "Forwarded", value: "for=203.0.113.1")
        let answer = try forwarded(headers, by: .forwarded)
        #expect(answer.prefix(3) == ["203.0.113.1, 10.0.0.1", "http", "shop.example"])
    }

    @Test func aTrustedPeerThatForwardsForNoClientIsTheClient() throws {
        let own = ["10.0.0.1", "http", "shop.example", "for=10.0.0.1;host=\"shop.example\";proto=http"]
        #expect(try forwarded() == own)
        #expect(try forwarded(by: .forwarded) == own)
    }

    @Test func addressesAreWrittenAsTheirFieldsWantThem() throws {
        let sixth = try forwarded([:], peer: "2001:DB8::1")
        #expect(sixth == ["2001:db8::1", "http", "-", "for=\"[2001:db8::1]\";proto=http"])
        #expect(try forwarded([:], peer: "::ffff:198.51.100.9")[0] == "198.51.100.9")
    }

    @Test func aPeerOfAUnixSocketHasNoAddress() throws {
        #expect(try forwarded([:], peer: "") == ["-", "http", "-", "for=unknown;proto=http"])
        #expect(try forwarded(["X-Forwarded-For": "203.0.113.1"], peer: "")[0] == "203.0.113.1")
    }

    /// Otherwise a proxy's field would break the one that weir makes of it.
    @Test func whatWouldBreakAFieldIsNotPutIntoIt() throws {
        let scheme = try forwarded(["Host": "a", "X-Forwarded-Proto": "https;for=192.0.2.66"])
        #expect(scheme[1] == "http" && scheme[3] == "for=10.0.0.1;host=\"a\";proto=http")
        // The pipeline refuses such a `Host` before.
        let host = try forwarded(["Host": "a\";for=\"192.0.2.66"])
        #expect(host[2] == "-" && host[3] == "for=10.0.0.1;proto=http")
        let other = try forwarded(["Host": "a", "X-Forwarded-Host": "b, c"])
        #expect(other[2] == "a" && other[3] == "for=10.0.0.1;host=\"a\";proto=http")
        let open = try forwarded(["Host": "a", "Forwarded": "for=203.0.113.1;host=\"b"], by: .forwarded)
        #expect(open[3] == "for=10.0.0.1;host=\"a\";proto=http")
    }

    @Test func viaIsAppended() {
        let forwarding = Forwarding(clients: ClientAddress(trusted: []), pseudonym: "edge")
        var headers: HTTPHeaders = ["Via": "1.0 fred"]
        forwarding.addVia(to: &headers, version: .http1_1)
        forwarding.addVia(to: &headers, version: .http2)
        #expect(headers["via"] == ["1.0 fred", "1.1 edge", "2.0 edge"])
    }
}
