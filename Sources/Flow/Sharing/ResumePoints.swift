/// Where readers were that left a shared stream, so that they can continue (`X-Stream-Resume`).
///
/// The newest ones are kept, 40 bytes each. Whether the records are still retained is for the log to say.
package struct ResumePoints: Sendable {
    /// The part of a reader's stream without a gap at its end: its record `received` is number `record` of the pull.
    package struct Point: Equatable, Sendable {
        /// Records of the reader's stream before the part.
        package var received: Int
        /// The number in the pull of the next one.
        package var record: Int

        package init(received: Int, record: Int) { (self.received, self.record) = (received, record) }
    }

    private let capacity: Int
    private var points: [StreamId: Point] = [:]
    private var order = Ring<StreamId>()

    package init(capacity: Int) { self.capacity = capacity }

    /// A reader left.
    package mutating func add(_ id: StreamId, _ point: Point) {
        guard points.updateValue(point, forKey: id) == nil else { return }
        order.append(id)
        guard points.count > capacity, let oldest = order.first else { return }
        order.removeFirst()
        points[oldest] = nil
    }

    /// The number in the pull of the record after `received` ones of a stream; `nil` if that is not known.
    package func record(of id: StreamId, after received: Int) -> Int? {
        guard let point = points[id], received >= point.received else { return nil }
        return point.record + (received - point.received)
    }
}
