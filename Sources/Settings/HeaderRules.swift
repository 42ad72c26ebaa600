/// The fields that weir sets and removes in the requests to the upstreams, or in their responses.
package struct HeaderRules: Equatable, Sendable {
    /// A field that replaces all of its name.
    package struct Field: Equatable, Sendable {
        package let name: String
        /// May come from the environment, and be secret.
        package let value: Secret
    }

    package var set: [Field] = []
    /// Names of fields that are not passed on.
    package var remove: [String] = []

    package init() {}

    package var isEmpty: Bool { remove.isEmpty && set.isEmpty }
    /// In lower case: the names of all fields that are not passed on.
    package var names: Set<String> { Set((self.set.map(\.name) + remove).map { $0.lowercased() }) }
}

extension Route {
    /// The rules of both directions.
    package struct Headers: Equatable, Sendable {
        package var request = HeaderRules()
        package var response = HeaderRules()

        package init() {}
    }
}
