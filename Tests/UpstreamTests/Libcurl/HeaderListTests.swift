import NIOHTTP1
import TestSupport
import Testing

@testable import Upstream

/// The header on the wire is the requested one, without a field of libcurl's own.
@Suite(.timeLimit(.minutes(10))) struct HeaderListTests {
    /// Sends a request, and returns its lines as the origin got them.
    private func lines(
        _ target: String = "/", method: HTTPMethod = .GET, headers: [HTTPHeaders]
    ) async throws -> [[String]] {
        let lines = Watched<[[String]]>([])
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        } test: { bench, origin in
            for headers in headers {
                let exchange = try await bench.response(
                    to: target, method: method, headers: headers, at: origin.origin)
                #expect(exchange.end == .complete)
            }
            lines.update {
                $0 = origin.counts.value.requests.map { head in
                    head.split(separator: "\r\n").map(String.init)
                }
            }
        }
        return lines.value
    }

    private func lines(
        _ target: String = "/", method: HTTPMethod = .GET, headers: HTTPHeaders
    ) async throws -> [String] {
        try #require(try await lines(target, method: method, headers: [headers]).first)
    }

    @Test func nothingIsAddedAndNothingIsLost() async throws {
        let lines = try await lines(headers: ["Host": "example.com:81", "X-A": "b: c", "Cookie": "a=b", "X-a": "d"])
        #expect(lines.first == "GET / HTTP/1.1")
        #expect(Set(lines.dropFirst()) == ["Host: example.com:81", "X-A: b: c", "Cookie: a=b", "X-a: d"])
        #expect(lines.filter { !$0.hasPrefix("Host") }.dropFirst() == ["X-A: b: c", "Cookie: a=b", "X-a: d"])
    }

    @Test func fieldsStandInTheirOrder() async throws {
        let fields = [
            "Host: a", "X-A: 1", "x-b: 2", "Via: 1.1 weir", "X-Empty:", "X-C: 3", "Cookie: c", "Forwarded: for=a",
            "traceparent: 0", "tracestate: a=b", "Accept: */*",
        ]
        let headers = fields.map { field in
            let colon = field.firstIndex(of: ":") ?? field.endIndex
            return (String(field[..<colon]), String(field[colon...].dropFirst(2)))
        }
        #expect(try await lines(headers: HTTPHeaders(headers)).dropFirst() == fields[...])
    }

    /// https://curl.se/libcurl/c/CURLOPT_HTTPHEADER.html: as an item of libcurl's list, `Name:` would remove the header.
    @Test func aHeaderWithoutAValueIsSentEmpty() async throws {
        let lines = try await lines(headers: ["Host": "a", "Accept": "", "X-Empty": ""])
        #expect(lines.contains("Accept:") && lines.contains("X-Empty:"))
        #expect(lines.count == 4)
    }

    @Test func theClientsAcceptIsSentUnchanged() async throws {
        let lines = try await lines(headers: ["Host": "a", "accept": "application/x-ndjson"])
        #expect(Set(lines.dropFirst()) == ["Host: a", "accept: application/x-ndjson"])
    }

    @Test func textBeyondASCIIIsSentUnchanged() async throws {
        #expect(try await lines(headers: ["Host": "a", "X-A": "\u{e4}\u{1f600}"]).contains("X-A: \u{e4}\u{1f600}"))
    }

    @Test func aListIsUsedAgainForMoreAndForLess() async throws {
        let lists = [1, 200, 0, 7, 8, 9, 31, 33, 2].map { count in
            HTTPHeaders(
                [("Host", "a")] + (0..<count).map { ("X-\($0)", String(repeating: "v", count: $0 * 7)) })
        }
        let sent = try await lines(headers: lists)
        #expect(sent.count == lists.count)
        for (lines, headers) in zip(sent, lists) {
            #expect(
                Set(lines.dropFirst())
                    == Set(headers.map { $0.value.isEmpty ? "\($0.name):" : "\($0.name): \($0.value)" }))
        }
    }

    @Test(arguments: ["/a/../b/./c//d", "/?a=b&c=%2F%20", "/a;b=c", "/%61", "/a?b?c", "*"])
    func theTargetIsNotTouched(target: String) async throws {
        let method: HTTPMethod = target == "*" ? .OPTIONS : .GET
        let lines = try await lines(target, method: method, headers: ["Host": "a"])
        #expect(lines.first == "\(method.rawValue) \(target) HTTP/1.1")
    }

    @Test(arguments: [HTTPMethod.GET, .HEAD, .DELETE, .OPTIONS, .POST, .PUT, .RAW(value: "PURGE")])
    func theMethodIsSentWithoutABody(method: HTTPMethod) async throws {
        let lines = try await lines(method: method, headers: ["Host": "a"])
        #expect(lines == ["\(method.rawValue) / HTTP/1.1", "Host: a"])
    }

    @Test func methodsFollowOneAnotherOnOneConnection() async throws {
        let methods: [HTTPMethod] = [.HEAD, .GET, .GET, .DELETE, .GET, .HEAD, .OPTIONS, .HEAD]
        try await withOrigin { _, connection in
            connection.send("HTTP/1.1 204 No Content\r\n\r\n")
        } test: { bench, origin in
            for method in methods {
                let exchange = try await bench.response(method: method, at: origin.origin)
                #expect(exchange.end == .complete)
            }
            let sent = origin.counts.value.requests.map { $0.prefix { $0 != " " } }
            #expect(sent.map(String.init) == methods.map(\.rawValue))
            #expect(origin.counts.value.accepted == 1)
        }
    }
}
