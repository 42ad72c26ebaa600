import Yams

extension Configuration {
    /// Reads the text of a `proxy.conf`.
    ///
    /// - Parameters:
    ///   - text: YAML 1.1, one document, without aliases.
    ///   - file: The name at the beginning of each error; nothing is opened.
    ///   - environment: The values of `${NAME}`; a name that is not in it is an error.
    /// - Returns: The configuration, complete with defaults.
    /// - Throws: All errors, in the order of the file. Text that is not YAML, or that has a key twice, is reported
    ///   alone, because the rest of it cannot be interpreted.
    /// - Complexity: O(n) for `n` bytes of text, of which there are at most ``maximumBytes``.
    package static func parse(
        _ text: String, file: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> Configuration {
        try read(text, file: file, environment: environment).configuration
    }

    /// Reads the text of a `proxy.conf`, and what an operator should know about it.
    ///
    /// - Parameters:
    ///   - text: As for ``parse(_:file:environment:)``.
    ///   - file: The name at the beginning of each error and warning.
    ///   - environment: The values of `${NAME}`.
    ///   - isFolder: Whether a path is that of a folder.
    /// - Returns: The configuration, its warnings in the order of the file, and the positions of its keys.
    /// - Throws: All errors, as ``parse(_:file:environment:)``.
    package static func read(
        _ text: String, file: String, environment: [String: String], isFolder: (String) -> Bool = { _ in true }
    ) throws(ConfigurationErrors) -> (
        configuration: Configuration, warnings: [ConfigurationError], positions: KeyPositions
    ) {
        let reading = Reading(file: file, variables: Variables(values: environment))
        var configuration = Configuration(routes: []), positions = KeyPositions()
        if let document = YAMLDocument.compose(text, reporting: reading) {
            let setting = Setting(node: document, path: "", reading: reading)
            setting.read(Schema.configuration, into: &configuration)
            positions = KeyPositions(of: setting)
            Schema.checkListeners(of: configuration, in: setting)
            Schema.checkTLS(of: configuration, in: setting)
            Schema.checkPaths(of: configuration, in: setting)
            Schema.checkClientKeys(of: configuration, in: setting)
            Schema.checkReplicas(of: configuration, in: setting)
            Schema.warn(about: configuration, in: setting, isFolder: isFolder)
        }
        guard reading.errors.isEmpty else { throw ConfigurationErrors(reading.errors) }
        let warnings = reading.warnings.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        return (configuration, warnings, positions)
    }

    /// The maximum length of a text: far above any configuration, and small enough to be rejected at once.
    static let maximumBytes = 1 << 20
}
