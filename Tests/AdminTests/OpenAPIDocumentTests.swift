import Foundation
import Settings
import Testing

@testable import Admin

@Suite struct OpenAPIDocumentTests {
    private func document(_ text: String = "") throws -> [String: Any] {
        let routes = "routes: [{ match: /, upstream: \"http://127.0.0.1:1\" }]\n"
        let configuration = try Configuration.parse(text + routes, file: "proxy.conf", environment: [:])
        let json = OpenAPIDocument(version: "1.2.3", for: configuration).json
        return try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    }

    private func paths(_ text: String = "") throws -> Set<String> {
        Set(try #require(document(text)["paths"] as? [String: Any]).keys)
    }

    @Test func describesTheVersionAndTheDefaultPaths() throws {
        let document = try document()
        #expect(document["openapi"] as? String == "3.1.0")
        #expect((document["info"] as? [String: Any])?["version"] as? String == "1.2.3")
        #expect(
            try paths() == [
                "/", "/livez", "/readyz", "/metrics", "/openapi.json", "/v1/health/streaming", "/v1/streams/{id}",
                "/v1/streams/{id}/feedback", "/v1/admin/state", "/v1/admin/events", "/v1/admin/streams/{id}",
                "/v1/admin/breakers/reset", "/v1/admin/history", "/v1/admin/streams", "/v1/admin/upstreams/drain",
                "/v1/admin/upstreams/undrain",
            ])
    }

    @Test func describesTheConfiguredPaths() throws {
        let paths = try paths("paths: { streams: /api/s, health: /up }\n")
        #expect(paths.isSuperset(of: ["/api/s/{id}", "/api/s/{id}/feedback", "/up", "/v1/admin/streams/{id}"]))
        #expect(paths.isDisjoint(with: ["/v1/streams/{id}", "/v1/health/streaming"]))
    }

    @Test func omitsPathsThatAreOff() throws {
        let paths = try paths("paths: { streams: off, health: off }\n")
        #expect(!paths.contains { $0.hasPrefix("/v1/streams") || $0.hasPrefix("/v1/health") })
        #expect(paths.contains("/v1/admin/streams/{id}"))
    }

    @Test func readingNeedsATokenOnlyIfThereIsOne() throws {
        #expect(try document()["security"] == nil)
        #expect(try document("admin_token: 0123456789abcdef0123456789abcdef\n")["security"] != nil)
    }
}
