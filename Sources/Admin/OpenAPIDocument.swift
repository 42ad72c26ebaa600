import Foundation
import Settings

/// The description of `/v1/streams`, health and the admin API in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0).
///
/// Sources/Admin/Resources/openapi.json describes the default configuration; `paths` and `admin_token` change the served document.
struct OpenAPIDocument {
    /// One JSON object without a newline.
    let json: [UInt8]

    private typealias Object = [String: Any]

    /// - Parameters:
    ///   - version: The version of weir.
    ///   - configuration: The current configuration.
    /// - Complexity: O(length), about a millisecond.
    init(version: String, for configuration: Configuration) {
        guard var document = try? JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? Object,
            var info = document["info"] as? Object, let items = document["paths"] as? Object
        else { preconditionFailure("openapi.json is a JSON object with info and paths") }
        info["version"] = version
        document["info"] = info
        document["paths"] = Self.paths(items, at: configuration.paths)
        // Without a token every request may read; the operations that change something still name it.
        if configuration.adminToken == nil { document["security"] = nil }
        guard
            let data = try? JSONSerialization.data(
                withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes])
        else { preconditionFailure("a parsed JSON object can be written") }
        json = Array(data)
    }

    /// The path items under the configured paths, without those that are off.
    private static func paths(_ items: Object, at configured: Configuration.Paths) -> Object {
        let defaults = Configuration.Paths()
        var result: Object = [:]
        for (path, item) in items {
            let own = [(defaults.streams, configured.streams), (defaults.health, configured.health)]
                .first { usual, _ in usual.map { path == $0 || path.hasPrefix("\($0)/") } ?? false }
            guard let (usual, current) = own else {
                result[path] = item
                continue
            }
            if let usual, let current { result[current + path.dropFirst(usual.count)] = item }
        }
        return result
    }
}
