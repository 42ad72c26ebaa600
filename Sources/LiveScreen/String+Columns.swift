extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }

    /// This text at the left of a line and the other at its right, if there is room for both.
    func beside(_ other: String, columns: Int) -> String {
        count + other.count + 2 <= columns ? padded(to: columns - other.count) + other : self
    }
}
