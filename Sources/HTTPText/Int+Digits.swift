extension Int {
    /// The largest number that ``init(digits:)`` returns: eighteen nines.
    @inlinable package static var largestOfDigits: Int { 999_999_999_999_999_999 }

    /// Reads `1*DIGIT`, the form of every number in a field of HTTP (RFC 9110, section 8.6): no sign, no white space.
    ///
    /// Any number of leading zeros does not change the value: `035` is 35. `nil` for anything else, and for a number above
    /// ``largestOfDigits``, which might not fit.
    ///
    /// - Parameter digits: ASCII bytes.
    @inlinable package init?(digits: some Collection<UInt8>) {
        guard !digits.isEmpty else { return nil }
        self = 0
        for digit in digits {
            guard digit.isDigit, self <= Self.largestOfDigits / 10 else { return nil }
            self = 10 * self + Int(digit - 0x30)
        }
    }
}
