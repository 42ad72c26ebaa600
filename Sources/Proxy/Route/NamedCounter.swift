import NIOConcurrencyHelpers

/// A bounded count over all event loops, in all and per name.
///
/// It counts client connections by their address, and promised streams by their client. Its lock is taken twice for each
/// counted object.
final class NamedCounter: Sendable {
    private struct Counts {
        var all = 0
        var byName: [String: Int] = [:]
        var maximum: Int
        var perName: Int?
        var rejections = Rejections()
    }

    /// The bound that one more would exceed.
    enum Bound: Sendable {
        case maximum, perName
    }

    /// What was not counted since the start.
    struct Rejections: Equatable, Sendable {
        /// Those beyond the number of all names together.
        var maximum = 0
        /// Those beyond the number of one name.
        var perName = 0
    }

    private let sparesUnnamed: Bool
    private let counts: NIOLockedValueBox<Counts>

    /// - Parameters:
    ///   - maximum: The bound for all names together.
    ///   - perName: The bound for one name; `nil` if there is none.
    ///   - sparesUnnamed: Whether the empty name has no bound of its own: the peers of a unix socket have no address.
    init(maximum: Int = .max, perName: Int?, sparesUnnamed: Bool = false) {
        self.sparesUnnamed = sparesUnnamed
        counts = NIOLockedValueBox(Counts(maximum: maximum, perName: perName))
    }

    /// Applies other bounds from now on; what is counted already stays.
    func setLimits(maximum: Int = .max, perName: Int?) {
        counts.withLockedValue { ($0.maximum, $0.perName) = (maximum, perName) }
    }

    /// All that are counted now.
    var count: Int { counts.withLockedValue(\.all) }

    /// What was not counted since the start.
    var rejections: Rejections { counts.withLockedValue(\.rejections) }

    /// Counts one more, unless a bound is reached.
    func enter(_ name: String) -> Bool { exceeded(by: name) == nil }

    /// Counts one more, unless a bound is reached.
    ///
    /// - Returns: The bound that it would exceed; `nil` if it is counted.
    func exceeded(by name: String) -> Bound? {
        counts.withLockedValue { counts in
            guard counts.all < counts.maximum else {
                counts.rejections.maximum += 1
                return .maximum
            }
            let known = counts.byName[name, default: 0]
            if let perName = counts.perName, known >= perName, !(name.isEmpty && sparesUnnamed) {
                counts.rejections.perName += 1
                return .perName
            }
            counts.all += 1
            counts.byName[name] = known + 1
            return nil
        }
    }

    func removed(_ name: String) {
        counts.withLockedValue { counts in
            counts.all -= 1
            let rest = counts.byName[name, default: 1] - 1
            counts.byName[name] = rest == 0 ? nil : rest
        }
    }
}
