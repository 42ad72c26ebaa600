extension Array {
    /// Removes all elements and returns them.
    mutating func takeAll() -> [Element] {
        guard !isEmpty else { return [] }
        let all = self
        removeAll(keepingCapacity: true)
        return all
    }
}
