/// The number of responses with each status code.
///
/// Frequent codes have a count of their own, the others one for their class: upstreams choose their codes, and must not make
/// the metrics grow.
package struct ResponseCodes: Equatable, Sendable {
    private static let codes = [
        200, 201, 202, 204, 206, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 429, 431, 500, 501,
        502,
        503, 504, 508,
    ]
    private static let classes = 2...5

    /// The values of the metric's label, in the order of ``counts``.
    package static let names = codes.map(String.init) + classes.map { "\($0)xx" }

    /// Of the codes by themselves, then of the classes.
    package private(set) var counts = [Int](repeating: 0, count: names.count)

    package init() {}

    /// Counts a response by its final status, from 200 to 599.
    package mutating func count(_ status: Int) { counts[Self.index(of: status)] += 1 }

    package static func += (left: inout ResponseCodes, right: ResponseCodes) {
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
    }

    private static func index(of status: Int) -> Int {
        if let index = codes.firstIndex(of: status) { return index }
        return codes.count + min(max(status / 100, classes.lowerBound), classes.upperBound) - classes.lowerBound
    }
}
