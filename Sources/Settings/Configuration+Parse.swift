import Yams

extension Configuration {
    /// Reads the text of a `proxy.conf`.
    ///
    /// - Parameters:
    ///   - text: YAML 1.1, one document, without aliases.
    ///   - file: The name that errors begin with; nothing is opened.
    ///   - environment: What `${NAME}` stands for; a name that is not in it is an error.
    /// - Returns: The configuration, complete with defaults.
    /// - Throws: Everything that is wrong, in the order of the file; text that is not YAML, or writes a key twice, is
    ///   told alone, since nothing else of it can be trusted.
    /// - Complexity: O(n) for `n` bytes of text, of which there are at most ``maximumBytes``.
    package static func parse(
        _ text: String, file: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> Configuration {
        let reading = Reading(file: file, variables: Variables(values: environment))
        var configuration = Configuration(routes: [])
        if let document = YAMLDocument.compose(text, reporting: reading) {
            let place = Place(node: document, path: "", reading: reading)
            place.read(Schema.configuration, into: &configuration)
            Schema.checkListeners(of: configuration, in: place)
            Schema.checkPaths(of: configuration, in: place)
            Schema.checkClientKeys(of: configuration, in: place)
        }
        guard reading.errors.isEmpty else { throw ConfigurationErrors(reading.errors) }
        return configuration
    }

    /// The longest text that is read: far more than any configuration, and little enough to be refused at once.
    static let maximumBytes = 1 << 20
}
