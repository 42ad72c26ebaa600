/// Receives all metrics: each family is begun once, followed by its samples.
package protocol MetricsOutput: Sendable {
    typealias Labels = KeyValuePairs<String, String>

    /// Begins a family; its samples follow.
    mutating func begin(_ family: MetricFamily)

    mutating func add(_ labels: Labels, _ value: Int)

    mutating func add(_ labels: Labels, seconds: Double)

    mutating func add(_ labels: Labels, _ histogram: Histogram)
}
