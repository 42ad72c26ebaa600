import NIOHTTP1
import Settings

/// The ``HeaderRules`` of one direction in a form that is fast to apply.
final class FieldRules: Sendable {
    /// The fields to add, after all of their names were removed.
    let fields: [(name: String, value: String)]
    private let dropped: Set<String>

    /// `nil` if there are no rules.
    init?(_ rules: HeaderRules) {
        guard !rules.isEmpty else { return nil }
        fields = rules.set.map { ($0.name, $0.value.revealed) }
        dropped = rules.names
    }

    /// Whether a received field is not passed on.
    func drops(_ name: String) -> Bool { dropped.contains(name.lowercased()) }

    func apply(to headers: inout HTTPHeaders) {
        headers = HTTPHeaders(headers.filter { !drops($0.name) } + fields.map { ($0.name, $0.value) })
    }
}
