import Flow
import HTTPText

@testable import Settings

/// A configuration as lines of `path: value`, for golden files.
struct ConfigurationDump {
    private(set) var lines: [String] = []
    private let routes: Int

    init(_ configuration: Configuration) {
        routes = configuration.routes.count
        add(configuration, at: "")
    }

    /// The lines that a configuration of nothing but as many routes would not have.
    var linesBesideDefaults: [String] {
        let route = Route(match: .init(path: ""), upstreams: [UpstreamAddress(host: "", port: 0)])
        let usual = Set(ConfigurationDump(Configuration(routes: Array(repeating: route, count: routes))).lines)
        return lines.filter { !usual.contains($0) }
    }

    private mutating func add(_ value: Any, at path: String) {
        let mirror = Mirror(reflecting: value)
        if let text = Self.text(of: value) {
            lines.append("\(path): \(text)")
        } else if mirror.displayStyle == .optional {
            guard let some = mirror.children.first else { return lines.append("\(path): nil") }
            add(some.value, at: path)
        } else if mirror.displayStyle == .collection {
            for (index, child) in mirror.children.enumerated() { add(child.value, at: "\(path)[\(index)]") }
            if mirror.children.isEmpty { lines.append("\(path): []") }
        } else if let tiers = value as? [String: Route.Tier] {
            for (name, tier) in tiers.sorted(by: { $0.key < $1.key }) { add(tier, at: "\(path).\(name)") }
            if tiers.isEmpty { lines.append("\(path): [:]") }
        } else if mirror.displayStyle == .struct {
            for child in mirror.children {
                add(child.value, at: path.isEmpty ? child.label ?? "" : "\(path).\(child.label ?? "")")
            }
        } else {
            lines.append("\(path): \(value)")
        }
    }

    /// The text of a quantity or an address, in the configuration's own notation.
    private static func text(of value: Any) -> String? {
        switch value {
        case let value as Duration: value.text
        case let value as ByteCount: value.text
        case let value as Pace: value.text
        case let value as Rate: value.text
        case let value as ListenAddress: value.text
        case let value as PublicListener:
            value.address.text
                + (value.redirect.map { ", redirects to \($0)" } ?? (value.usesTLS ? "" : ", without TLS"))
        case let value as AddressBlock: value.text
        case let value as UpstreamAddress: value.text
        case let value as RedisAddress: value.text
        case let value as WrittenPath: "\(value.path) at \(value.line):\(value.column)"
        case .file(let file) as Route.TierSelector:
            "file \(file.path.path) at \(file.path.line):\(file.path.column), \(file.table)"
        default: nil
        }
    }
}
