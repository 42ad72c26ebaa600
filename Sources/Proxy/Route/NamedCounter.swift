import NIOConcurrencyHelpers

/// How many there are of something, in all and of each name, over all event loops; bounds both.
///
/// It counts client connections by their address, and promised streams by their client. It has a lock, which is taken
/// twice in the life of what is counted.
final class NamedCounter: Sendable {
    private struct Counts {
        var all = 0
        var byName: [String: Int] = [:]
        var maximum: Int
        var perName: Int?
    }

    private let sparesUnnamed: Bool
    private let counts: NIOLockedValueBox<Counts>

    /// - Parameters:
    ///   - maximum: Of all names together.
    ///   - perName: Of one name; `nil` where one may have them all.
    ///   - sparesUnnamed: Whether the empty name may have them all: the peers of a unix socket have no address.
    init(maximum: Int = .max, perName: Int?, sparesUnnamed: Bool = false) {
        self.sparesUnnamed = sparesUnnamed
        counts = NIOLockedValueBox(Counts(maximum: maximum, perName: perName))
    }

    /// Bounds who comes from now on; who is counted already stays.
    func setLimits(maximum: Int = .max, perName: Int?) {
        counts.withLockedValue { ($0.maximum, $0.perName) = (maximum, perName) }
    }

    /// Counts one more, unless that would be too many.
    func enter(_ name: String) -> Bool {
        counts.withLockedValue { counts in
            guard counts.all < counts.maximum else { return false }
            let known = counts.byName[name, default: 0]
            if let perName = counts.perName, known >= perName, !(name.isEmpty && sparesUnnamed) { return false }
            counts.all += 1
            counts.byName[name] = known + 1
            return true
        }
    }

    func left(_ name: String) {
        counts.withLockedValue { counts in
            counts.all -= 1
            let rest = counts.byName[name, default: 1] - 1
            counts.byName[name] = rest == 0 ? nil : rest
        }
    }
}
