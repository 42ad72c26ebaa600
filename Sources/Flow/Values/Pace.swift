/// The pace of a stream: a rate, or as fast as the client takes records.
package enum Pace: Comparable, Sendable {
    case limited(Rate)
    case unlimited

    /// The rate's text, or `unlimited`.
    package var text: String {
        switch self {
        case .limited(let rate): rate.text
        case .unlimited: "unlimited"
        }
    }

    /// Reads a rate, or the word `unlimited`.
    package init?(_ text: some StringProtocol) {
        if text == "unlimited" {
            self = .unlimited
        } else if let rate = Rate(text) {
            self = .limited(rate)
        } else {
            return nil
        }
    }
}
