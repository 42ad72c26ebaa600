import Flow

/// What exports: the attributes of its resource, and the version of its instrumentation scope.
package struct Resource: Equatable, Sendable {
    private static let scope = "weir"
    /// The version of the semantic conventions whose attribute names are used.
    private static let schema = "https://opentelemetry.io/schemas/1.27.0"

    private let name: String
    private let instance: String
    private let version: String

    /// - Parameters:
    ///   - name: `service.name`.
    ///   - instance: `service.instance.id`; no other instance of the service may have it.
    ///   - version: Of weir.
    package init(name: String, instance: String, version: String) {
        (self.name, self.instance, self.version) = (name, instance, version)
    }

    /// The body of a request with spans.
    ///
    /// - Complexity: O(spans).
    package func traces(_ spans: [Span], by clock: WallClock) -> [UInt8] {
        body("resourceSpans", "scopeSpans", "spans", spans.map { $0.json(by: clock) })
    }

    /// The body of a request with metrics.
    package func metrics(_ metrics: MetricsBody) -> [UInt8] {
        body("resourceMetrics", "scopeMetrics", "metrics", metrics.families)
    }

    private func body(_ resources: String, _ scopes: String, _ items: String, _ values: [[UInt8]]) -> [UInt8] {
        var scope = JSONText()
        scope.add("name", Self.scope)
        scope.add("version", version)
        var inScope = JSONText(capacity: 256 + values.reduce(0) { $0 + $1.count + 1 })
        inScope.add("scope", json: scope.closed())
        inScope.add(items, array: values)
        inScope.add("schemaUrl", Self.schema)
        var resource = JSONText()
        resource.add([
            Attribute("service.name", name), Attribute("service.instance.id", instance),
            Attribute("service.version", version),
        ])
        var inResource = JSONText()
        inResource.add("resource", json: resource.closed())
        inResource.add(scopes, array: [inScope.closed()])
        inResource.add("schemaUrl", Self.schema)
        var body = JSONText()
        body.add(resources, array: [inResource.closed()])
        return body.closed()
    }
}
