extension Int {
    /// The largest number that ``init(digits:)`` returns: eighteen nines.
    package static var largestOfDigits: Int { 999_999_999_999_999_999 }

    /// Reads `1*DIGIT`, the form of every number in a field of HTTP (RFC 9110, section 8.6): no sign, no white space.
    ///
    /// Zeros at the front do not change the value: `035` is 35. `nil` for anything else, and for more than eighteen digits, which
    /// might not fit.
    ///
    /// - Parameter digits: ASCII bytes.
    package init?(digits: some Collection<UInt8>) {
        guard (1...18).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        self = digits.reduce(0) { 10 * $0 + Int($1 - 0x30) }
    }
}
