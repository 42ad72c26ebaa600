/// The number of the newest record of each key.
///
/// It is not notified when a record is released; ``prune(before:of:)`` removes those, so that it holds at most twice as
/// many as are retained.
struct NewestRecords: Sendable {
    private var numbers: [RecordKey: Int] = [:]

    var count: Int { numbers.count }

    /// A record that was released may still be named.
    subscript(key: RecordKey) -> Int? {
        get { numbers[key] }
        set { numbers[key] = newValue }
    }

    /// Removes released records, if there are many.
    ///
    /// - Complexity: Amortised O(1) for each record.
    mutating func prune(before first: Int, of retained: Int) {
        guard numbers.count > 2 * retained + 64 else { return }
        numbers = numbers.filter { $0.value >= first }
    }
}
