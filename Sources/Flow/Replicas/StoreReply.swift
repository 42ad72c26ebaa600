/// The answer of the store to a command, checked.
package struct StoreReply: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// All limits have taken the start; for each limit the distance of its next start, or the streams of the others.
        case admitted(ArraySlice<Int64>)
        /// Nothing was taken. `wait` is zero for a limit on streams: their ends are not known.
        case refused(limit: Int, wait: Duration)
        case refunded
        /// The streams of the other replicas, for each count.
        case counts(others: ArraySlice<Int64>)
        /// What each request gets. `isYoung`: the store does not know the others' shares yet.
        case shares([RateShare.Grant], isYoung: Bool)
        /// The openings are announced.
        case announced
    }

    /// More than all replicas together can have.
    private static let mostStreams: Int64 = 1 << 31
    /// A start within the tolerance, and its own spacing.
    private static let longestDistance = 2 * StoreTime.longest

    package let content: Content
    /// When the store's data begins: a change means that it was lost.
    package let born: Int64

    /// - Parameters:
    ///   - integers: The reply of the script, an array of integers.
    ///   - command: The command that it answers.
    /// - Throws: ``StoreFailure/malformed`` for everything that the script does not return for the command.
    package init(_ integers: [Int64], to command: StoreCommand) throws(StoreFailure) {
        guard integers.count >= 2, integers.allSatisfy({ $0 >= 0 }) else { throw .malformed }
        born = integers[1]
        let numbers = integers.dropFirst(2)
        switch command.content {
        case .start(let limits, _): content = try Self.start(numbers, of: limits)
        case .refund: content = .refunded
        case .open, .repeatOpenings: content = .announced
        case .counts(let counts):
            guard numbers.count == counts.count, numbers.allSatisfy({ $0 <= Self.mostStreams }) else {
                throw .malformed
            }
            content = .counts(others: numbers)
        case .shares(let requests):
            let rest = Array(numbers)
            guard rest.count == 2 * requests.count + 1, rest[0] <= 1 else { throw .malformed }
            let grants = requests.indices.map { RateShare.Grant(share: rest[2 * $0 + 1], credit: rest[2 * $0 + 2]) }
            guard zip(grants, requests).allSatisfy({ $0.isPossible(for: $1) }) else { throw .malformed }
            content = .shares(grants, isYoung: rest[0] == 1)
        }
    }

    private static func start(_ rest: ArraySlice<Int64>, of limits: [SharedLimit]) throws(StoreFailure) -> Content {
        let first = rest.startIndex
        guard rest.count == limits.count + 3, rest[first] <= 1 else { throw .malformed }
        guard rest[first] == 1 else {
            let (limit, wait) = (rest[first + 1], rest[first + 2])
            guard (1...limits.count).contains(Int(clamping: limit)), wait <= longestDistance else { throw .malformed }
            return .refused(limit: Int(limit) - 1, wait: .microseconds(wait))
        }
        let found = rest.dropFirst(3)
        for (limit, number) in zip(limits, found) {
            let most = if case .streams = limit { mostStreams } else { longestDistance }
            guard number <= most else { throw .malformed }
        }
        return .admitted(found)
    }
}
