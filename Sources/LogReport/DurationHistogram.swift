/// Counts durations in buckets whose width grows with the duration, so that a percentile takes little memory and is
/// exact to 0.8 %.
///
/// Durations below 128 µs are counted to the microsecond; above that each doubling is divided into 64 buckets. Only
/// buckets with a count are kept, 16 bytes each: at most 45 KiB for durations up to a year, and some hundred bytes for
/// a client whose requests are similar.
struct DurationHistogram: Equatable, Sendable {
    private struct Bucket: Equatable, Sendable {
        let index: Int
        var count: Int
    }

    /// Sorted by index.
    private var buckets: [Bucket] = []
    private(set) var count = 0
    /// In microseconds.
    private(set) var longest = 0

    /// A bucket is as wide as 1/64 of its lower bound.
    private static let linearBits = 6

    mutating func add(_ microseconds: Int) {
        add(Self.index(of: microseconds), count: 1)
        longest = max(longest, microseconds)
    }

    mutating func add(_ other: DurationHistogram) {
        for bucket in other.buckets { add(bucket.index, count: bucket.count) }
        longest = max(longest, other.longest)
    }

    /// The duration, in microseconds, that this part of all durations does not exceed: the middle of its bucket.
    ///
    /// - Returns: `nil` if nothing was counted.
    func percentile(_ part: Double) -> Int? {
        guard count > 0 else { return nil }
        let rank = min(count, max(1, Int((part * Double(count)).rounded(.up))))
        var seen = 0
        for bucket in buckets {
            seen += bucket.count
            if seen >= rank { return min(longest, Self.middle(of: bucket.index)) }
        }
        return longest
    }

    private mutating func add(_ index: Int, count added: Int) {
        count += added
        var low = 0, high = buckets.count
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].index < index { low = middle + 1 } else { high = middle }
        }
        if low < buckets.count, buckets[low].index == index {
            buckets[low].count += added
        } else {
            buckets.insert(Bucket(index: index, count: added), at: low)
        }
    }

    /// Below 128 the value itself; above, the seven leading bits of the value and their shift.
    private static func index(of value: Int) -> Int {
        let value = max(0, value)
        let shift = max(0, Int.bitWidth - value.leadingZeroBitCount - linearBits - 1)
        return (shift << linearBits) + (value >> shift)
    }

    private static func middle(of index: Int) -> Int {
        let shift = max(0, (index >> linearBits) - 1)
        let begin = (index - (shift << linearBits)) << shift
        return begin + (1 << shift) / 2
    }
}
