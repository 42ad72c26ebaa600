import Flow

/// Writes metrics as text: Prometheus 0.0.4, or OpenMetrics 1.0 on request.
///
/// The two formats differ in the name of a counter's family, in
/// units, in the type of constants, and in the last line.
package struct MetricsText: MetricsOutput {
    package enum Format: Sendable {
        case prometheus, openMetrics

        /// OpenMetrics if an `Accept` contains its name; ranges such as `*/*` select the older one.
        package init(accept: [String]) {
            let names = accept.flatMap { $0.split(separator: ",") }
            self =
                names.contains {
                    $0.prefix { $0 != ";" }.lowercased().filter { $0 != " " } == "application/openmetrics-text"
                }
                ? .openMetrics : .prometheus
        }

        package var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    private let format: Format
    private var family: MetricFamily?
    private var text = ""

    package init(format: Format) { self.format = format }

    package mutating func begin(_ family: MetricFamily) {
        self.family = family
        let name = format == .openMetrics ? family.name : family.sampleName
        let kind = format == .prometheus && family.kind == .info ? MetricFamily.Kind.gauge : family.kind
        text += "# HELP \(name) \(Self.escaped(family.help))\n# TYPE \(name) \(kind.rawValue)\n"
        if format == .openMetrics, let unit = family.unit { text += "# UNIT \(name) \(unit)\n" }
    }

    package mutating func add(_ labels: Labels, _ value: Int) { add("", labels, String(value)) }

    package mutating func add(_ labels: Labels, seconds: Double) { add("", labels, String(seconds)) }

    package mutating func add(_ labels: Labels, _ histogram: Histogram) {
        for (bound, count) in zip(histogram.bounds, histogram.cumulative) {
            add("_bucket", labels, le: String(bound.inSeconds), String(count))
        }
        add("_bucket", labels, le: "+Inf", String(histogram.count))
        add("_sum", labels, String(histogram.sum.inSeconds))
        add("_count", labels, String(histogram.count))
    }

    /// Ends the text and returns it.
    package consuming func closed() -> String { format == .openMetrics ? text + "# EOF\n" : text }

    private mutating func add(_ suffix: String, _ labels: Labels, le bound: String? = nil, _ value: String) {
        guard let family else { preconditionFailure("a sample belongs to a family") }
        text += family.sampleName + suffix
        var pairs = labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        if !pairs.isEmpty { text += "{" + pairs.joined(separator: ",") + "}" }
        text += " \(value)\n"
    }

    /// Escaping of both formats: backslash, newline, and in a label's value the quote.
    private static func escaped(_ value: String, quotes: Bool = false) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
