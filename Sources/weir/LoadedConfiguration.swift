import Logging
import Settings

/// A checked configuration and its warnings.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let warnings: [ConfigurationError]

    init(_ configuration: Configuration, warnings: [ConfigurationError] = []) {
        self.configuration = configuration
        self.warnings = warnings
    }

    /// One line each: `file:line:column: warning: …`.
    var warningLines: [String] {
        warnings.map { "\($0.file):\($0.line):\($0.column): warning: \($0.message)" }
    }

    func logWarnings(to log: Logger) {
        for warning in warningLines { log.warning("\(warning)") }
    }
}
