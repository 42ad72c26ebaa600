extension Int {
    /// Adds a number that is not negative, limited to `Int.max`: a file or a peer may have numbers that weir did not write.
    package mutating func addUpToMost(_ other: Int) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
