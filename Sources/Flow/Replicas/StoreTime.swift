/// The store's times are whole microseconds: what its clock reports, and what a double, Lua's only number, has exactly.
enum StoreTime {
    /// The longest distance from now, 71 years: two of them and the time since 1970 are below 2^53.
    static let longest: Int64 = 1 << 51

    /// A distance in whole microseconds, rounded up, so that a rate is never exceeded; at least 1.
    static func microseconds(ofNanoseconds nanoseconds: Int64) -> Int64 {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
        return min(longest, max(1, rest > 0 ? whole + 1 : whole))
    }
}

extension Duration {
    /// This duration in whole microseconds, rounded down.
    var storeMicroseconds: Int64 { nanoseconds / 1000 }
}
